"""Short ways to say something to the private database."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

EVENTS = ("telemetry_job_events", "telemetry_llm_events", "telemetry_shipments")
PARTIALS = ("usage_hourly", "usage_user_hourly", "usage_daily", "usage_wait_daily")
COSTS = (
    "cost_user_daily",
    "cost_global_daily",
    "cost_breakdown_daily",
    "cost_user_window",
    "cost_windows",
    "cost_days",
)


def execute(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
    """Run one statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def value(query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
    """Return the first column of the first row."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or None)
        row = cursor.fetchone()
    return row[0] if row else None


def empty(*tables: str) -> None:
    """Empty the tables at once."""
    execute(f"TRUNCATE {', '.join(tables)}")


def tidy(*tables: str) -> None:
    """Do what autovacuum does in time: drop dead rows, mark full pages visible, refresh the statistics."""
    execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
