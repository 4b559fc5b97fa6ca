"""Fills a whole local day with events inside PostgreSQL: no loop over rows in Python."""

import functools
import itertools
import math
from datetime import UTC, date, datetime, timedelta

from benchmarks.database import execute, tidy, value
from benchmarks.figures import Bench
from benchmarks.sizes import EVENTS_PER_USER, LLM_SHARE
from telemetry.partitions import ensure_partitions

# A product's day, hour by hour in UTC: quiet nights, a morning and an afternoon peak.
RHYTHM = (8, 6, 5, 4, 4, 6, 12, 25, 48, 70, 82, 80, 66, 74, 86, 84, 72, 56, 42, 34, 28, 22, 16, 11)
HOUR = timedelta(hours=1)
DOMAINS = ("support", "search", "reports", "billing", "imports", "marketing")
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-4.1-mini", "claude-haiku", "claude-sonnet", "llama-3-70b")
JOB_TYPES = ("sync_cdr", "rate_calls", "send_mail", "build_report", "import_file")
SEED = 0.42

# Few users do much and many do little: the density of floor(users * random^3) falls like rank^(-2/3).
# A user has one tier, works in a home domain with its own model, and in one event of five next door.
STRETCH = """
FROM (
    SELECT %(from_at)s + (g - 0.5) / %(rows)s * %(span)s AS created_at,
        floor(%(users)s * power(random(), 3))::int AS rank, random() AS a, random() AS b, random() AS c
    FROM generate_series(1, %(rows)s) g OFFSET 0
) event
"""
USER = "'user-' || lpad(rank::text, 6, '0')"
TIER = "CASE WHEN rank %% 20 = 0 THEN 'enterprise' WHEN rank %% 4 = 1 THEN 'pro' ELSE 'free' END"
DOMAIN = "(%(domains)s::text[])[1 + (rank + (a < 0.2)::int) %% 6]"
MODEL = "(%(models)s::text[])[1 + (rank / 6 + (b < 0.2)::int) %% 6]"
LLM_EVENTS = f"""
INSERT INTO telemetry_llm_events (created_at, user_id, tier, domain, llm_model, context_type, input_tokens,
    cached_input_tokens, output_tokens, cache_hit, avoided_input_tokens, duration_ms, success, error_code,
    provider)
SELECT created_at, {USER}, {TIER}, {DOMAIN}, {MODEL}, 'chat',
    CASE WHEN c < 0.05 THEN 0 ELSE 200 + (4000 * a)::int END,
    CASE WHEN c BETWEEN 0.05 AND 0.3 THEN 100 + (2000 * a)::int ELSE 0 END,
    CASE WHEN c < 0.05 THEN 0 ELSE 20 + (700 * b)::int END,
    c < 0.05, CASE WHEN c < 0.05 THEN 200 + (4000 * a)::int ELSE 0 END,
    300 + (6000 * b)::int, c < 0.98, CASE WHEN c >= 0.98 THEN 'rate_limit' END, 'openai'
{STRETCH}
"""
JOB_EVENTS = f"""
INSERT INTO telemetry_job_events (created_at, user_id, tier, domain, job_type, queued_at, started_at,
    finished_at, duration_ms, queue_wait_ms, success, error_code, attempt, rows_read, rows_written, cpu_ms,
    mem_mb_peak)
SELECT created_at, {USER}, {TIER}, {DOMAIN}, (%(job_types)s::text[])[1 + (4 * b)::int],
    created_at - interval '9 s', created_at - interval '6 s', created_at, 6000, (10 + 90000 * c * c * c)::int,
    c < 0.97, CASE WHEN c >= 0.97 THEN 'timeout' END, 1 + (b < 0.03)::int,
    (5000 * a)::int, (800 * b)::int, 5 + (4000 * c)::int, 40 + (200 * a)::int
{STRETCH}
"""
KINDS = (("llm", LLM_EVENTS, LLM_SHARE), ("job", JOB_EVENTS, 1 - LLM_SHARE))


def large_day(bench: Bench) -> date:
    """Return yesterday, filled with the run's events."""
    return filled_day(bench, today() - timedelta(days=1), bench.sizes.events)


def small_day(bench: Bench) -> date:
    """Return the day before, filled with a tenth of them by a tenth of the users."""
    return filled_day(bench, today() - timedelta(days=2), bench.sizes.small_events)


@functools.cache
def today() -> date:
    """Return the UTC day on which the run first asked, so that a midnight in between changes nothing."""
    return datetime.now(UTC).date()


def filled_day(bench: Bench, day: date, events: int) -> date:
    """Fill the day with events unless it is full, and leave the tables as autovacuum leaves them.

    The marking trigger rests meanwhile, as if all had been folded: a rollup from raw does not need marks.
    """
    if is_filled(day):
        return day
    bench.say(f"filling {day} with {events:,} events of {users_of(events):,} users")
    for kind, statement, share in KINDS:
        table = f"telemetry_{kind}_events"
        ensure_partitions(kind, [day])
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for hour, rows in enumerate(by_hour(round(events * share))):
            fill(statement, midnight(day) + hour * HOUR, HOUR, rows, users_of(events))
        execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        tidy(table)
    return day


def is_filled(day: date) -> bool:
    """Say whether the day has LLM events."""
    bounds = [midnight(day), midnight(day) + timedelta(days=1)]
    query = "SELECT EXISTS (SELECT FROM telemetry_llm_events WHERE created_at >= %s AND created_at < %s)"
    return bool(value(query, bounds))


def midnight(day: date) -> datetime:
    """Return the instant at which a day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def users_of(events: int) -> int:
    """Return how many users a day of so many events has."""
    return max(events // EVENTS_PER_USER, 1)


def by_hour(events: int) -> list[int]:
    """Share events out over the hours of a day after its rhythm; the sum is exact."""
    edges = [math.floor(events * part / sum(RHYTHM)) for part in itertools.accumulate(RHYTHM, initial=0)]
    return [upper - lower for lower, upper in itertools.pairwise(edges)]


def fill(
    statement: str, from_at: datetime, span: timedelta, rows: int, users: int, *, seed: float = SEED
) -> None:
    """Add events of one kind, spread evenly over the span; the same ones for the same seed (0 to 1)."""
    execute("SELECT setseed(%s)", [seed])
    names = {"domains": list(DOMAINS), "models": list(MODELS), "job_types": list(JOB_TYPES)}
    execute(statement, {"from_at": from_at, "span": span, "rows": rows, "users": users, **names})


def add_last_stretch(bench: Bench, day: date, span: timedelta, *, seed: float) -> None:
    """Add as many events as the last stretch of the day brings, marked for the fold as shipped ones are."""
    events = by_hour(bench.sizes.events)[-1] * (span / HOUR)
    for _, statement, share in KINDS:
        rows = max(round(events * share), 1)
        fill(
            statement,
            midnight(day + timedelta(days=1)) - span,
            span,
            rows,
            users_of(bench.sizes.events),
            seed=seed,
        )
