"""The two kinds of events: their columns, and one set of rules for record(), imports and the ingest API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, cast

from telemetry.fields import (
    EARLIEST,
    INT4_MAX,
    REQUIRED,
    Field,
    Flag,
    Instant,
    InvalidEvent,
    Text,
    Whole,
)

__all__ = [
    "EVENT_KINDS",
    "JOB_COLUMNS",
    "LLM_COLUMNS",
    "EventKind",
    "InvalidEvent",
    "Row",
    "clean_job",
    "clean_llm",
]

Row = tuple[Any, ...]

# Bounds that no honest event reaches. They keep the sums of a day within a bigint, so that one absurd event cannot
# stop a rollup: ten years of time, a thousand core-years of CPU, a million million rows.
TEN_YEARS_MS: Final = 10 * 366 * 86_400_000
CORE_MILLENNIUM_MS: Final = 1000 * 366 * 86_400_000
ROWS_MOST: Final = 10**12

duration = Whole(most=TEN_YEARS_MS, default=None)
tokens = Whole(most=INT4_MAX, default=0)
rows = Whole(most=ROWS_MOST, default=0)

JOB_FIELDS: Final[dict[str, Field]] = {
    "job_id": Text(most=40, default=None),
    "job_type": Text(most=40),
    "user_id": Text(most=40),
    "tier": Text(most=16),
    "domain": Text(most=16),
    "queued_at": Instant(default=None),
    "started_at": Instant(default=None),
    "finished_at": Instant(default=None),
    "duration_ms": duration,
    "queue_wait_ms": duration,
    "success": Flag(),
    "error_code": Text(most=64, default=None),
    "attempt": Whole(least=1, most=INT4_MAX, default=1),
    "rows_read": rows,
    "rows_written": rows,
    "cpu_ms": Whole(most=CORE_MILLENNIUM_MS, default=0),
    "mem_mb_peak": Whole(most=INT4_MAX, default=0),
    "mem_is_process": Flag(default=False),
    "created_at": Instant(),
}
LLM_FIELDS: Final[dict[str, Field]] = {
    "user_id": Text(most=40),
    "tier": Text(most=16),
    "llm_model": Text(most=40),
    "context_type": Text(most=32),
    "input_tokens": Whole(most=INT4_MAX),
    "output_tokens": Whole(most=INT4_MAX),
    "cache_hit": Flag(default=False),
    "duration_ms": duration,
    "success": Flag(),
    "error_code": Text(most=64, default=None),
    "domain": Text(most=16, default="", may_be_empty=True),
    "provider": Text(most=32, default="", may_be_empty=True),
    "job_id": Text(most=40, default=None),
    "cached_input_tokens": tokens,
    "reasoning_tokens": tokens,
    "avoided_input_tokens": tokens,
    "avoided_output_tokens": tokens,
    "created_at": Instant(),
}
JOB_COLUMNS: Final = tuple(JOB_FIELDS)
LLM_COLUMNS: Final = tuple(LLM_FIELDS)


class Clean(Protocol):
    """Turns a mapping of column names to values into a row in column order, or raises InvalidEvent."""

    def __call__(self, values: Mapping[str, object], *, now: datetime) -> Row: ...


Derive = Callable[[dict[str, Any]], None]
Agree = Callable[[dict[str, Any]], None]


def milliseconds(span: timedelta) -> int:
    """Return a span in whole milliseconds, rounded down."""
    return span // timedelta(milliseconds=1)


def derive_job(row: dict[str, Any]) -> None:
    """Fill what the given moments already say: the end, the duration, the wait and created_at."""
    queued, started, finished = row["queued_at"], row["started_at"], row["finished_at"]
    if row["duration_ms"] is None and started and finished:
        row["duration_ms"] = milliseconds(finished - started)
    if row["queue_wait_ms"] is None and queued and started:
        row["queue_wait_ms"] = milliseconds(started - queued)
    if row["created_at"] is REQUIRED:
        if finished:
            row["created_at"] = finished
        elif started and row["duration_ms"] is not None:
            row["created_at"] = started + timedelta(milliseconds=row["duration_ms"])
        else:
            reason = "created_at is missing: give it, or finished_at, or started_at with duration_ms"
            raise InvalidEvent("created_at", reason)


def derive_llm(row: dict[str, Any]) -> None:
    """Take a call for successful when it names no error."""
    if row["success"] is REQUIRED:
        row["success"] = row["error_code"] is None


def agree_job(row: dict[str, Any]) -> None:
    """Refuse moments that run backwards."""
    for earlier, later in (
        ("queued_at", "started_at"),
        ("started_at", "finished_at"),
        ("queued_at", "finished_at"),
    ):
        if row[earlier] and row[later] and row[earlier] > row[later]:
            raise InvalidEvent(later, f"{later} is before {earlier}, check both")


def agree_llm(row: dict[str, Any]) -> None:
    """Refuse parts that are larger than their whole."""
    for part, whole in (
        ("cached_input_tokens", "input_tokens"),
        ("reasoning_tokens", "output_tokens"),
    ):
        if row[part] > row[whole]:
            raise InvalidEvent(
                part,
                f"{part} is {row[part]}, more than {whole} ({row[whole]}), which include them",
            )


# What `agree_*` asks, for the quick path; and that nothing is left to derive there.
QUICK_JOB = (
    "duration_ms is not None and started_at is not None and finished_at is not None and started_at <= finished_at"
    " and (queued_at is None or queue_wait_ms is not None and queued_at <= started_at)"
)
QUICK_LLM = "cached_input_tokens <= input_tokens and reasoning_tokens <= output_tokens"


def checked(
    fields: dict[str, Field],
    values: Mapping[str, object],
    now: datetime,
    derive: Derive,
    agree: Agree,
) -> Row:
    """Check an event column by column, as its declaration says; raises InvalidEvent with the first fault."""
    row = named_columns(fields, values)
    for name, field in fields.items():
        if row[name] is None and field.default is not REQUIRED:
            row[name] = field.default
        if row[name] is not REQUIRED and row[name] is not None:
            row[name] = field.check(name, row[name], now)
    agree(row)
    derive(row)
    for name, field in fields.items():
        if row[name] is REQUIRED or (row[name] is None and field.default is not None):
            raise InvalidEvent(name, f"{name} is missing, an event must have it")
        if row[name] is not None:
            field.check(name, row[name], now)
    return tuple(row.values())


def named_columns(
    fields: dict[str, Field], values: Mapping[str, object]
) -> dict[str, Any]:
    """Return every column with the value given, or its default; an unknown column is refused by name."""
    row: dict[str, Any] = {name: field.default for name, field in fields.items()}
    try:
        given = dict(values)
        unknown = [name for name in given if name not in row]
    except Exception as error:
        raise InvalidEvent(
            "", "the event is not a mapping of column names to values"
        ) from error
    if unknown:
        name = (
            ascii(unknown[0])[1:-1][:60]
            if type(unknown[0]) is str
            else f"of type {type(unknown[0]).__name__}"
        )
        raise InvalidEvent(
            name, f"the column {name} is unknown, the columns are {', '.join(row)}"
        )
    return row | given


def compiled(
    fields: dict[str, Field], derive: Derive, agree: Agree, quick_agree: str
) -> Clean:
    """Return the cleaner of these fields: one compiled expression lets ordinary events through in about a microsecond.

    The expression comes from the declarations, as dataclasses make their methods. What it does not let through goes
    to `checked`, which decides and words the refusal.
    """
    columns = ", ".join(fields)
    tests = " and ".join(
        [*(field.quick_test(name) for name, field in fields.items()), quick_agree]
    )
    source = (
        "def clean(values, *, now):\n"
        "    try:\n"
        f"        {columns} = {{**blank, **values}}.values()\n"
        f"        if {tests}:\n"
        f"            return ({columns})\n"
        "    except Exception:\n"
        "        pass\n"
        "    return checked(fields, values, now, derive, agree)\n"
    )
    blank = {name: field.default for name, field in fields.items()}
    scope: dict[str, Any] = {
        "blank": blank,
        "fields": fields,
        "derive": derive,
        "agree": agree,
    }
    scope |= {
        "checked": checked,
        "datetime": datetime,
        "UTC": UTC,
        "EARLIEST": EARLIEST,
    }
    exec(source, scope)  # noqa: S102  (made of the declarations above, never of input)
    return cast(Clean, scope["clean"])


clean_job: Final = compiled(JOB_FIELDS, derive_job, agree_job, QUICK_JOB)
clean_llm: Final = compiled(LLM_FIELDS, derive_llm, agree_llm, QUICK_LLM)


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event: its table, the columns a row is made of, and the cleaner that makes the row."""

    name: str
    table: str
    columns: tuple[str, ...]
    clean: Clean


EVENT_KINDS: Final = {
    "job": EventKind("job", "telemetry_job_events", JOB_COLUMNS, clean_job),
    "llm": EventKind("llm", "telemetry_llm_events", LLM_COLUMNS, clean_llm),
}
