"""Raw events for tests of costs, stored as applications store them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from hypothesis import strategies as st

from costs.usage import complete_user_hours
from telemetry.events import EVENT_KINDS
from telemetry.ship import ship

PARTIALS = ("usage_hourly", "usage_user_hourly", "usage_daily", "usage_wait_daily")
LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """Return a UTC time written as 2026-03-01 12:00."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def between(first: str, last: str) -> st.SearchStrategy[datetime]:
    """Return UTC times of a span, to the second."""
    seconds = int((at(last) - at(first)).total_seconds())
    return st.integers(0, seconds).map(lambda offset: at(first) + timedelta(seconds=offset))


def job(created_at: datetime | str, **values: Any) -> dict[str, Any]:
    """Return a job event; what is not given is plain."""
    defaults = {"job_type": "sync", "user_id": "ada", "tier": "pro", "domain": "sync", "success": True}
    costs = {"cpu_ms": 0, "rows_read": 0, "rows_written": 0}
    return (
        defaults
        | costs
        | {"created_at": at(created_at) if isinstance(created_at, str) else created_at}
        | values
    )


def call(created_at: datetime | str, **values: Any) -> dict[str, Any]:
    """Return an LLM event; what is not given is plain."""
    defaults = {
        "user_id": "ada",
        "tier": "pro",
        "domain": "ai",
        "llm_model": "m-small",
        "context_type": "chat",
    }
    costs = {
        "input_tokens": 0,
        "output_tokens": 0,
        "cached_input_tokens": 0,
        "cache_hit": False,
        "success": True,
    }
    return (
        defaults
        | costs
        | {"created_at": at(created_at) if isinstance(created_at, str) else created_at}
        | values
    )


def store(*events: dict[str, Any]) -> None:
    """Store events, each kind in a transaction of its own."""
    for name, kind in EVENT_KINDS.items():
        rows = [
            kind.clean(event, now=LONG_AFTER) for event in events if ("cpu_ms" in event) == (name == "job")
        ]
        ship(name, rows)


def rows_of(table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Return a table's rows in a fixed order, without the times of storing."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table}")
        return sorted(cursor.fetchall(), key=repr)


def partials() -> dict[str, list[tuple[Any, ...]]]:
    """Return all that the usage partials hold, once what is due of days that are over is made up."""
    complete_user_hours(LONG_AFTER)
    return {table: rows_of(table) for table in PARTIALS}


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def empty(tables: Iterable[str]) -> None:
    """Empty tables between the examples of one test."""
    for table in tables:
        execute(f"DELETE FROM {table}")
