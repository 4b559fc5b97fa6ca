"""Reads of raw events behind a figure: the newest by cursor, the slowest and the dearest, each bounded."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from costs import priced
from costs.histories import LOCAL_DAY, bounded, values
from costs.ranges import DateRange
from costs.subjects import Subject
from healthpilot.web.pages import Cursor, Page, keyset_page

TOP_EVENTS = 5
ORDERS = {"slowest": "duration_ms DESC NULLS LAST", "dearest": "cost DESC"}


@dataclass(frozen=True)
class Event:
    """One recorded attempt of a job, or one LLM call, with its exact cost."""

    created_at: datetime
    kind: str
    id: int
    what: str
    context: str
    user_id: str
    tier: str
    domain: str
    duration_ms: int | None
    success: bool
    error_code: str
    tokens_in: int
    tokens_out: int
    cpu_ms: int
    cache_hit: bool
    attempt: int
    cost_exact: Decimal


IN_RANGE = f"""
    created_at >= %(lower_at)s AND created_at < %(upper_at)s
    AND {LOCAL_DAY} BETWEEN %(first_on)s AND %(last_on)s"""
JOBS = f"""
SELECT created_at, 'job' AS kind, id, job_type AS what, coalesce(job_id, '') AS context, user_id, tier,
    domain, duration_ms, success, coalesce(error_code, '') AS error_code, 0 AS tokens_in, 0 AS tokens_out,
    cpu_ms, false AS cache_hit, attempt, {priced.JOB_USD} AS cost
FROM telemetry_job_events WHERE {{column}} = %(name)s AND {IN_RANGE}"""
CALLS = f"""
SELECT created_at, 'llm' AS kind, id, llm_model AS what, context_type AS context, user_id, tier, domain,
    duration_ms, success, coalesce(error_code, '') AS error_code, input_tokens AS tokens_in,
    output_tokens AS tokens_out, 0::bigint AS cpu_ms, cache_hit, 1 AS attempt, {priced.CALL_USD} AS cost
FROM telemetry_llm_events {priced.PRICES.format(model="llm_model", day=LOCAL_DAY)}
WHERE {{column}} = %(name)s AND {IN_RANGE}"""
COLUMNS = {
    "user": ("user_id", "user_id"),
    "domain": ("domain", "domain"),
    "model": (None, "llm_model"),
    "job_type": ("job_type", None),
}
# The row comparison lets PostgreSQL stop at the newest partitions; each table gives a page at most.
AFTER = "AND (created_at, {kind}, id) < (%(at)s, %(at_kind)s, %(at_id)s)"
BEFORE = "AND (created_at, {kind}, id) > (%(at)s, %(at_kind)s, %(at_id)s)"


def sources(subject: Subject) -> list[tuple[str, str]]:
    """Return the kind and the statement of each table that holds the subject's events."""
    job_column, call_column = COLUMNS[subject.kind.name]
    jobs = [("job", JOBS.format(column=job_column))] if job_column else []
    return jobs + ([("llm", CALLS.format(column=call_column))] if call_column else [])


def recent(subject: Subject, asked: DateRange, *, limit: int, cursor: str | None = None) -> Page[Event]:
    """Return one page of a subject's events in a range, the newest first.

    Raises CursorError, and TooMuchError where the rows cannot be found quickly.
    """

    def fetch(start: Cursor | None, most: int) -> list[Event]:
        return newest(subject, asked, start, most)

    return keyset_page(
        fetch,
        lambda event: (event.created_at.isoformat(), event.kind, str(event.id)),
        scope=f"costs.events:{subject.kind.name}:{subject.name}:{asked.scope}",
        cursor=cursor,
        limit=limit,
    )


def newest(subject: Subject, asked: DateRange, start: Cursor | None, most: int) -> list[Event]:
    """Return events after the cursor, or before it from the nearest upwards."""
    backwards = start is not None and start.backwards
    at, at_kind, at_id = start.key if start else ("", "", "0")
    place = "" if start is None else BEFORE if backwards else AFTER
    order = "created_at, kind, id" if backwards else "created_at DESC, kind DESC, id DESC"
    parts = [
        f"({statement} {place.format(kind=repr(kind))} ORDER BY {order} LIMIT %(most)s)"
        for kind, statement in sources(subject)
    ]
    statement = f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS events ORDER BY {order} LIMIT %(most)s"
    return fetched(
        statement,
        values(subject, asked) | {"most": most, "at": at or None, "at_kind": at_kind, "at_id": int(at_id)},
    )


def extreme(subject: Subject, asked: DateRange, order: str, *, limit: int = TOP_EVENTS) -> list[Event]:
    """Return the slowest or the dearest events of a range; raises TooMuchError."""
    parts = [
        f"({statement} ORDER BY {ORDERS[order]}, created_at DESC, id LIMIT {limit})"
        for _, statement in sources(subject)
    ]
    statement = (
        f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS events"
        f" ORDER BY {ORDERS[order]}, created_at DESC, kind, id LIMIT {limit}"
    )
    return fetched(statement, values(subject, asked))


def fetched(statement: str, parameters: dict[str, Any]) -> list[Event]:
    with bounded(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [Event(*row) for row in cursor.fetchall()]
