"""Reads of the pages of one user, domain, model or job type: its days, and what its cost is made of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import OperationalError, connection, transaction

from costs import priced
from costs.days import cost_zone, day_bounds
from costs.queries import Day
from costs.ranges import DateRange
from costs.subjects import JOB_TYPE, MODEL, Subject

ZERO = Decimal(0)
LIMIT_MS = 2500
QUERY_CANCELED = "57014"
TOP_PARTS = 8


class TooMuchError(Exception):
    """A read would have taken longer than a page may wait."""


@contextmanager
def bounded(limit_ms: int = LIMIT_MS) -> Iterator[None]:
    """Give the reads inside so much time and no more; raises TooMuchError when it is over."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit_ms)])
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == QUERY_CANCELED:
            raise TooMuchError from error
        raise


@dataclass(frozen=True)
class Part:
    """One share of a subject's cost, by its name in another dimension."""

    name: str
    events: int
    cost_exact: Decimal


@dataclass(frozen=True)
class Parts:
    """The dearest shares, and what all others come to together."""

    rows: list[Part]
    names: int
    events: int
    total: Decimal

    @property
    def others(self) -> int:
        return self.names - len(self.rows)

    @property
    def other_events(self) -> int:
        return self.events - sum(row.events for row in self.rows)

    @property
    def other_cost(self) -> Decimal:
        return self.total - sum((row.cost_exact for row in self.rows), ZERO)


DAY_COLUMNS = (
    "cost_exact", "jobs", "job_failures", "ai_calls", "cache_hits", "unpriced_calls", "cpu_ms", "tokens_in",
    "tokens_out",
)  # fmt: skip
KEPT_DAYS = f"""
SELECT date, {", ".join(DAY_COLUMNS)} FROM cost_breakdown_daily
WHERE kind = %(kind)s AND key = %(name)s AND date BETWEEN %(first_on)s AND %(last_on)s"""
# usage_daily knows what cost_user_daily leaves out; both have the user in their key.
USER_DAYS = """
SELECT cost.date, cost_exact, cost.jobs, used.job_failures, cost.ai_calls, used.cache_hits, 0, cost.cpu_ms,
    tokens_in, tokens_out
FROM cost_user_daily AS cost
LEFT JOIN LATERAL (
    SELECT coalesce(sum(job_failures), 0)::bigint AS job_failures,
        coalesce(sum(cache_hits), 0)::bigint AS cache_hits
    FROM usage_daily WHERE day = cost.date AND user_id = cost.user_id
) AS used ON true
WHERE cost.user_id = %(name)s AND cost.date BETWEEN %(first_on)s AND %(last_on)s"""
LOCAL_DAY = "(created_at AT TIME ZONE %(timezone)s)::date"
# The bounds in UTC let PostgreSQL leave other days' partitions alone; the index begins with the job type.
JOBS_OF_TYPE = f"""
FROM telemetry_job_events WHERE job_type = %(name)s
    AND created_at >= %(lower_at)s AND created_at < %(upper_at)s
    AND {LOCAL_DAY} BETWEEN %(first_on)s AND %(last_on)s"""
JOB_TYPE_DAYS = f"""
SELECT {LOCAL_DAY} AS day, sum({priced.JOB_USD}), count(*), count(*) FILTER (WHERE NOT success), 0, 0, 0,
    sum(cpu_ms)::bigint, 0, 0
{JOBS_OF_TYPE} GROUP BY day"""
USAGE_PARTS = f"""
SELECT {{part}} AS name, sum(jobs + ai_calls)::bigint AS events,
    sum({priced.USAGE_USD}) AS cost
FROM usage_daily AS usage {priced.PRICES.format(model="usage.model", day="usage.day")}
WHERE usage.day = ANY(%(days)s::date[]) AND usage.{{column}} = %(name)s
GROUP BY {{part}}"""
JOB_TYPE_PARTS = f"""
SELECT {{part}} AS name, count(*) AS events, sum({priced.JOB_USD}) AS cost
{JOBS_OF_TYPE} GROUP BY {{part}}"""
DEAREST = """
WITH parts AS ({parts})
SELECT name, events, cost, count(*) OVER (), (sum(events) OVER ())::bigint, sum(cost) OVER ()
FROM parts ORDER BY cost DESC, name LIMIT {limit}"""


def values(subject: Subject, asked: DateRange) -> dict[str, Any]:
    """Return the parameters that every statement here may use."""
    lower_at, upper_at = utc_bounds(asked)
    return priced.parameters(asked.first_on, asked.last_on) | {
        "kind": subject.kind.name,
        "name": subject.name,
        "days": asked.dates,
        "lower_at": lower_at,
        "upper_at": upper_at,
    }


def utc_bounds(asked: DateRange) -> tuple[datetime, datetime]:
    """Return UTC instants between which every moment of the range lies, the upper one exclusive."""
    zone = cost_zone()
    return day_bounds(asked.first_on, zone)[0], day_bounds(asked.last_on, zone)[1]


def history(subject: Subject, first_on: date, last_on: date, today: date) -> dict[date, Day]:
    """Return a subject's days, one row for each; raises TooMuchError where only raw rows could tell."""
    asked = DateRange(first_on, last_on, today)
    statement = {"user": USER_DAYS, "job_type": JOB_TYPE_DAYS}.get(subject.kind.name, KEPT_DAYS)
    with bounded(), connection.cursor() as cursor:
        cursor.execute(statement, values(subject, asked))
        found = {row[0]: Day(**dict(zip(DAY_COLUMNS, row[1:], strict=True))) for row in cursor.fetchall()}
    nothing = Day()
    return {day: found.get(day, nothing) for day in asked.dates}


def parts(subject: Subject, part: str, asked: DateRange, *, limit: int = TOP_PARTS) -> Parts:
    """Return a subject's cost by user, domain, model or tier, the dearest first; raises TooMuchError."""
    column = "user_id" if part == "user" else part
    if subject.kind is JOB_TYPE:
        source = JOB_TYPE_PARTS.format(part=column)
    else:
        source = USAGE_PARTS.format(part=f"usage.{column}", column=column_of(subject))
    with bounded(), connection.cursor() as cursor:
        cursor.execute(DEAREST.format(parts=source, limit=limit), values(subject, asked))
        found = cursor.fetchall()
    names, events, total = found[0][3:] if found else (0, 0, ZERO)
    return Parts([Part(*row[:3]) for row in found], names, events, total)


def column_of(subject: Subject) -> str:
    return "user_id" if subject.kind.name == "user" else subject.kind.name


def is_known(subject: Subject) -> bool:
    """Return whether the name was ever recorded."""
    sources = {
        "user": "cost_user_daily WHERE user_id = %(name)s",
        "domain": "cost_breakdown_daily WHERE kind = 'domain' AND key = %(name)s",
        "model": "cost_breakdown_daily WHERE kind = 'model' AND key = %(name)s",
        "job_type": "telemetry_job_events WHERE job_type = %(name)s",
    }
    with bounded(), connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {sources[subject.kind.name]})", {"name": subject.name})
        return bool(cursor.fetchone()[0])


def raw_since(subject: Subject, asked: DateRange) -> datetime | None:
    """Return the instant up to which retention dropped raw rows of a range; None where all are there."""
    lower_at, upper_at = utc_bounds(asked)
    tables = ["llm"] if subject.kind is MODEL else ["job"] if subject.kind is JOB_TYPE else ["job", "llm"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(upper_at) FROM telemetry_dropped"
            " WHERE table_name = ANY(%s) AND lower_at < %s AND upper_at > %s",
            [[f"telemetry_{table}_events" for table in tables], upper_at, lower_at],
        )
        newest: datetime | None = cursor.fetchone()[0]
        return newest
