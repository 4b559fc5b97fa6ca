"""Events to ship: realistic rows in batches, and the ways of storing them that the figures compare."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from benchmarks.database import COSTS, EVENTS, PARTIALS, empty
from benchmarks.days import DOMAINS, JOB_TYPES, MODELS
from telemetry.events import EVENT_KINDS, Row
from telemetry.models import JobEvent, LlmEvent
from telemetry.ship import ship

BATCH = 1000
USERS = 5_000
Event = JobEvent | LlmEvent
MODELS_OF_KIND: dict[str, type[Event]] = {"job": JobEvent, "llm": LlmEvent}
# Far above what the sequences reach in a run.
own_ids = itertools.count(10**12)


@dataclass(frozen=True)
class Load:
    """Cleaned rows of one kind, as the spool hands them to the shipper."""

    kind: str
    rows: list[Row]

    @property
    def batches(self) -> list[list[Row]]:
        return [self.rows[start : start + BATCH] for start in range(0, len(self.rows), BATCH)]

    def ship(self) -> None:
        """Store all rows as the product does: a transaction a batch."""
        for batch in self.batches:
            ship(self.kind, batch)

    def objects(self, *, complete: bool) -> list[list[Event]]:
        """Return fresh model instances, batch by batch.

        complete fills the columns that have database defaults too. Django then sends arrays (UNNEST), not a
        placeholder a value, which is several times quicker; the caller must find the values himself.
        """
        model, columns = MODELS_OF_KIND[self.kind], EVENT_KINDS[self.kind].columns
        defaults = {"received_at": datetime.now(UTC), "shipment": 0} if complete else {}
        return [
            [
                model(
                    **dict(zip(columns, row, strict=True)),
                    **defaults,
                    **({"id": next(own_ids)} if complete else {}),
                )
                for row in batch
            ]
            for batch in self.batches
        ]

    def copy_data(self) -> bytes:
        """Return the rows in COPY's binary format, by storing them and removing them again."""
        kind = EVENT_KINDS[self.kind]
        self.ship()
        query = f"COPY (SELECT {', '.join(kind.columns)} FROM {kind.table}) TO STDOUT (FORMAT BINARY)"
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            data = b"".join(bytes(part) for part in copy)
        clear()
        return data


def loads(rows: int) -> list[Load]:
    """Return so many rows of each kind from the last half hour, always the same ones but for the time."""
    now = datetime.now(UTC)
    return [
        Load(kind, [clean_row(kind, now, rows, index) for index in range(rows)]) for kind in ("job", "llm")
    ]


def clean_row(kind: str, now: datetime, rows: int, index: int) -> Row:
    """Make one event and clean it as record() does."""
    dice = random.Random(index)
    user = int(USERS * dice.random() ** 3)
    finished = now - timedelta(minutes=30) * (1 - index / rows)
    common = {
        "user_id": f"user-{user:06}",
        "tier": ("free", "pro", "free", "enterprise")[user % 4],
        "domain": next_door(DOMAINS, user, dice),
        "success": dice.random() < 0.97,
        "created_at": finished,
    }
    own = job_values(dice, finished) if kind == "job" else llm_values(dice, user)
    return EVENT_KINDS[kind].clean(common | own, now=now)


def next_door(names: Sequence[str], home: int, dice: random.Random) -> str:
    """Return the name at home, and in one event of five the one after it, as in days.py."""
    return names[(home + (dice.random() < 0.2)) % len(names)]


def job_values(dice: random.Random, finished: datetime) -> dict[str, object]:
    duration_ms, wait_ms = dice.randrange(20, 20_000), dice.randrange(1, 5_000)
    started = finished - timedelta(milliseconds=duration_ms)
    return {
        "job_id": f"{dice.getrandbits(128):032x}",
        "job_type": dice.choice(JOB_TYPES),
        "queued_at": started - timedelta(milliseconds=wait_ms),
        "started_at": started,
        "finished_at": finished,
        "duration_ms": duration_ms,
        "queue_wait_ms": wait_ms,
        "rows_read": dice.randrange(5_000),
        "rows_written": dice.randrange(800),
        "cpu_ms": dice.randrange(4_000),
        "mem_mb_peak": dice.randrange(40, 240),
    }


def llm_values(dice: random.Random, user: int) -> dict[str, object]:
    input_tokens = dice.randrange(200, 4_200)
    return {
        "llm_model": next_door(MODELS, user // len(DOMAINS), dice),
        "context_type": "chat",
        "provider": "openai",
        "input_tokens": input_tokens,
        "cached_input_tokens": dice.choice((0, 0, input_tokens // 2)),
        "output_tokens": dice.randrange(20, 720),
        "duration_ms": dice.randrange(300, 6_300),
    }


def clear() -> None:
    """Empty the event tables and what was made from them, so that the next figure starts clean."""
    empty(*EVENTS, *PARTIALS, *COSTS)
