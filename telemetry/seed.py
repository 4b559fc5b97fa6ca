"""Makes weeks of synthetic events, the same ones for the same arguments, and stores each day once."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import exp, log, sqrt
from random import Random
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from telemetry import synthetic
from telemetry.events import EVENT_KINDS, Row
from telemetry.models import Import, JobEvent, LlmEvent
from telemetry.ship import ship
from telemetry.synthetic import User, Work

# Raised when other events come out of the same arguments.
EDITION = 1
BATCH_ROWS = 2000
LEDGER_KIND = "all"
MOST_USER_DAYS = 1_000_000
MOST_DAYS = 1_000
MOST_USERS = 100_000

Event = dict[str, Any]


class SeedError(ValueError):
    """Arguments that make no sense; the text is one line."""


@dataclass(frozen=True)
class Span:
    """What to make: the days up to and with `ends_on` (UTC), so many users, and the seed of all chance."""

    days: int
    users: int
    seed: int
    ends_on: date

    def __post_init__(self) -> None:
        for name, value, most in (("--days", self.days, MOST_DAYS), ("--users", self.users, MOST_USERS)):
            if not 1 <= value <= most:
                raise SeedError(f"{name} {value}: give 1 to {most:,}")
        if self.days * self.users > MOST_USER_DAYS:
            raise SeedError(f"--days {self.days} × --users {self.users}: at most {MOST_USER_DAYS:,} in all")
        if self.starts_on <= date(2000, 1, 1):
            raise SeedError(f"--end {self.ends_on}: the events would begin before 2000")

    @property
    def starts_on(self) -> date:
        return date.fromordinal(max(1, self.ends_on.toordinal() - self.days + 1))

    @property
    def described(self) -> str:
        return (
            f"seed_telemetry --days {self.days} --users {self.users} --seed {self.seed} --end {self.ends_on}"
        )

    def random(self, *about: object) -> Random:
        """Return the chance of one part, independent of how much the other parts have used."""
        return Random(repr((EDITION, self.days, self.users, self.seed, self.ends_on.isoformat(), *about)))


@dataclass
class Day:
    """The events of one day while they are made."""

    span: Span
    number: int
    until: datetime
    jobs: list[Event] = field(default_factory=list)
    calls: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.date = self.span.starts_on + timedelta(days=self.number)
        self.rng = self.span.random("day", self.number)
        self.midnight = datetime.combine(self.date, time(), UTC)
        self.is_later = self.number >= self.span.days // 2
        self.has_incident = self.number == incident_day(self.span)

    def make(self, users: list[User]) -> None:
        """Make what every user does on this day."""
        rhythms = {offset_h: synthetic.rhythm(self.date, offset_h) for offset_h, _ in synthetic.ZONES}
        growth = synthetic.DAILY_GROWTH ** (self.number - self.span.days / 2)
        for user in users:
            if user.first_day <= self.number:
                rhythm = rhythms[user.offset_h]
                actions = arrivals(user.actions * rhythm[-1] * growth, self.rng)
                for hour in self.rng.choices(range(24), cum_weights=rhythm, k=actions):
                    self.act(user, hour)

    def act(self, user: User, hour: int) -> None:
        """Make one action of a user: a job with its retries and calls, or a chat with a model."""
        rng = self.rng
        at = self.midnight + timedelta(milliseconds=hour * 3_600_000 + rng.randrange(3_600_000))
        if rng.random() < 0.18:
            for turn in range(rng.randrange(1, 6)):
                self.call(user, "chat", "ai", at + timedelta(seconds=turn * 45 + rng.randrange(30)))
            return
        work = rng.choices(synthetic.WORKS, cum_weights=synthetic.WORK_SHARES)[0]
        self.job(user, work, at, hour)

    def job(self, user: User, work: Work, queued_at: datetime, hour: int) -> None:
        """Make a job, attempted up to three times."""
        rng = self.rng
        in_trouble = self.has_incident and hour in synthetic.INCIDENT_HOURS
        failing = synthetic.INCIDENT_FAILING if in_trouble else work.failing
        job_id = f"job_{rng.getrandbits(48):012x}"
        for attempt in (1, 2, 3):
            fails = rng.random() < failing
            wait_ms = drawn(work.wait_ms * (synthetic.INCIDENT_WAIT if in_trouble else 1), work.spread, rng)
            started_at = queued_at + timedelta(milliseconds=wait_ms)
            error = rng.choice(synthetic.INCIDENT_ERRORS if in_trouble else work.errors) if fails else None
            event = self.attempt(user, work, job_id, started_at, error)
            self.jobs.append(event | {"attempt": attempt, "queued_at": queued_at, "queue_wait_ms": wait_ms})
            if not fails:
                return
            queued_at = event["finished_at"] + timedelta(seconds=30 * 2**attempt)
            failing = max(failing, 0.3)

    def attempt(self, user: User, work: Work, job_id: str, started_at: datetime, error: str | None) -> Event:
        """Return one attempt at a job, its calls made by the way; a failed one stops half-way."""
        rng = self.rng
        size = exp(rng.gauss(0.0, work.spread)) * (0.5 if error else 1.0)
        duration_ms = int(work.duration_ms * size) + 1
        finished_at = started_at + timedelta(milliseconds=duration_ms)
        for _ in range(arrivals(work.calls, rng) if work.calls else 0):
            moment = started_at + timedelta(milliseconds=int(duration_ms * rng.uniform(0.2, 1.0)))
            self.call(user, work.context, work.domain, moment, job_id=job_id)
        return {
            "job_id": job_id,
            "job_type": work.name,
            "user_id": user.id,
            "tier": user.tier_on(self.number),
            "domain": work.domain,
            "started_at": started_at,
            "finished_at": finished_at,
            "duration_ms": duration_ms,
            "success": error is None,
            "error_code": error,
            "rows_read": int(work.rows_read * size),
            "rows_written": 0 if error else int(work.rows_written * size),
            "cpu_ms": int(duration_ms * work.cpu * rng.uniform(0.85, 1.15)) + 1,
            "mem_mb_peak": int(work.mem_mb * rng.uniform(0.9, 1.35)),
            "created_at": finished_at,
        }

    def call(
        self, user: User, context: str, domain: str, ends_at: datetime, *, job_id: str | None = None
    ) -> None:
        """Make one LLM call, or one skipped because its input had not changed."""
        rng = self.rng
        tokens_in, tokens_out, spread, unchanged = synthetic.CONTEXTS[context]
        model = self.model(user, context)
        input_tokens = min(120_000, drawn(tokens_in, spread, rng) + 8)
        output_tokens = min(8_000, drawn(tokens_out, 0.7, rng)) if tokens_out else 0
        event: Event = {
            "user_id": user.id,
            "tier": user.tier_on(self.number),
            "llm_model": model,
            "context_type": context,
            "domain": domain,
            "provider": synthetic.PROVIDERS[model],
            "job_id": job_id,
            "success": True,
            "created_at": ends_at,
        }
        chance = rng.random()
        if chance < unchanged:
            avoided = {"avoided_input_tokens": input_tokens, "avoided_output_tokens": output_tokens}
            self.calls.append(event | SKIPPED | avoided)
        elif chance > 0.986:
            error = rng.choice(synthetic.LLM_ERRORS)
            self.calls.append(
                event | FAILED | {"error_code": error, "duration_ms": rng.randrange(200, 20_000)}
            )
        else:
            self.calls.append(event | answered(input_tokens, output_tokens, event["provider"], rng))

    def model(self, user: User, context: str) -> str:
        """Return the model that answers: by tier, and another one for the free tier in the later half."""
        if context == "embedding":
            return "text-embedding-3-small"
        tier = user.tier_on(self.number)
        return synthetic.pick(
            synthetic.MODELS["free, later" if tier == "free" and self.is_later else tier], self.rng
        )

    def rows(self) -> dict[str, list[Row]]:
        """Return the events as rows to store, in the order of their time, none of them later than `until`."""
        found = {}
        for name, made in (("job", self.jobs), ("llm", self.calls)):
            kind = EVENT_KINDS[name]
            past = sorted((event for event in made if event["created_at"] <= self.until), key=moment_of)
            found[name] = [kind.clean(event, now=self.until) for event in past]
        return found


SKIPPED = {"cache_hit": True, "input_tokens": 0, "output_tokens": 0, "duration_ms": 0}
FAILED = {"success": False, "input_tokens": 0, "output_tokens": 0}


def moment_of(event: Event) -> datetime:
    """Return when an event was recorded."""
    return event["created_at"]  # type: ignore[no-any-return] # an event of ours holds a datetime


def answered(input_tokens: int, output_tokens: int, provider: str, rng: Random) -> Event:
    """Return the tokens and time of an answered call; providers keep long prompts by blocks of 128 tokens."""
    cached = int(input_tokens * rng.uniform(0.3, 0.95)) // 128 * 128
    speed, first_ms = synthetic.SPEEDS[provider]
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cached_input_tokens": cached if input_tokens >= 1024 and rng.random() < 0.4 else 0,
        "duration_ms": int(first_ms * rng.uniform(0.7, 1.8) + 1000 * output_tokens / speed),
    }


def drawn(median: float, spread: float, rng: Random) -> int:
    """Return a whole number around a median, its logarithm spread normally."""
    return int(exp(rng.gauss(log(median), spread)))


def arrivals(mean: float, rng: Random) -> int:
    """Return a number of arrivals around a mean: Poisson by Knuth's product, its normal limit above 30."""
    if mean > 30:
        return max(0, round(rng.gauss(mean, sqrt(mean))))
    count, product, floor = 0, rng.random(), exp(-mean)
    while product > floor:
        product *= rng.random()
        count += 1
    return count


def incident_day(span: Span) -> int | None:
    """Return the number of the day with the outage: a weekday some two thirds in, none in a short span."""
    first = span.days * 2 // 3
    weekdays = (
        day for day in range(first, span.days - 1) if (span.starts_on + timedelta(days=day)).weekday() < 5
    )
    return next(weekdays, None) if span.days >= 7 else None


def days_of(span: Span, *, now: datetime, first: int = 0) -> Iterator[dict[str, list[Row]]]:
    """Yield the rows of each day, from day number `first` on, nothing later than `now` or the last day."""
    users = synthetic.make_users(span.users, span.days, span.random("users"))
    until = min(now, datetime.combine(span.ends_on, time(), UTC) + timedelta(days=1))
    for number in range(first, span.days):
        day = Day(span, number, until)
        day.make(users)
        yield day.rows()


def seed(span: Span, *, now: datetime, report: Callable[[str, int, int | None], None]) -> Import:
    """Store what is not stored yet of a span, a day a transaction, and return its ledger row.

    The ledger keeps it from being stored twice, and lets one that was killed go on with the next day. Where
    both event tables are empty it begins again.
    """
    row = ledger_row(span)
    for made in [] if row.finished_at else days_of(span, now=now, first=row.line):
        stored = sum(map(len, made.values()))
        with transaction.atomic():
            current = Import.objects.select_for_update().get(pk=row.pk)
            if current.line != row.line:
                raise SeedError("another process is making the same events: wait for it")
            for kind, rows in made.items():
                for start in range(0, len(rows), BATCH_ROWS):
                    ship(kind, rows[start : start + BATCH_ROWS])
            row.line, row.offset_bytes, row.accepted = row.line + 1, row.line + 1, row.accepted + stored
            row.finished_at = Now() if row.line == span.days else None
            row.save()
        report("seeding", row.line, span.days)
    row.refresh_from_db()
    return row


def ledger_row(span: Span) -> Import:
    """Return the ledger row of a span, set back to its beginning where there are no events at all."""
    row, _ = Import.objects.get_or_create(
        kind=LEDGER_KIND,
        content_sha256=hashlib.sha256(span.described.encode()).hexdigest(),
        mapping_sha256=hashlib.sha256(f"edition {EDITION}".encode()).hexdigest(),
        defaults={"source_name": span.described, "size_bytes": span.days},
    )
    if row.line and not JobEvent.objects.exists() and not LlmEvent.objects.exists():
        row.line = row.offset_bytes = row.accepted = 0
        row.finished_at = None
        row.save()
    return row
