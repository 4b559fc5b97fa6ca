"""A private database for one run of faults, and the state that every promise starts from."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import django
from django.core.management import call_command

EVENTS = ("telemetry_job_events", "telemetry_llm_events")
PARTIALS = ("usage_hourly", "usage_user_hourly", "usage_daily", "usage_wait_daily")
COSTS = ("cost_user_daily", "cost_global_daily", "cost_breakdown_daily", "cost_user_window")
STATE = (
    "telemetry_shipments",
    "telemetry_dropped",
    "telemetry_spool_segments",
    "telemetry_imports",
    "telemetry_ingested",
    "api_tokens",
    "cost_days",
    "cost_windows",
    "cost_settings",
)
LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)
TIMES = {"created_at", "updated_at"}

Row = tuple[object, ...]


@contextlib.contextmanager
def private_services() -> Iterator[None]:
    """Start both servers, set Django up on them and migrate; all of it is gone afterwards."""
    from tests.plugin_services import start_services

    os.environ.pop("COST_TIMEZONE", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "healthpilot.settings"
    guard = start_services()
    try:
        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        from django.db import connections

        connections.close_all()
        if guard.stdin:
            guard.stdin.close()
        guard.wait(timeout=90)


def execute(sql: str, values: Sequence[Any] | None = None) -> list[Row]:
    """Run a statement on Django's connection and return its rows, if it has any."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def empty(*tables: str) -> None:
    """Empty tables, all of them where none is named."""
    execute(f"TRUNCATE {', '.join(tables or (*EVENTS, *PARTIALS, *COSTS, *STATE))}")


def forget_rollup() -> None:
    """Make a state as if nothing had been folded or rolled up yet, the raw events untouched."""
    empty(*PARTIALS, *COSTS, *STATE)
    for kind in ("job", "llm"):
        execute(
            "INSERT INTO telemetry_shipments (shipment, kind, first_created_at, last_created_at, events)"
            f" SELECT shipment, '{kind}', min(created_at), max(created_at), count(*)"
            f" FROM telemetry_{kind}_events GROUP BY shipment"
        )


def contents() -> dict[str, list[Row]]:
    """Return all rows of the partials and the cost tables, without the times of storing, in a fixed order.

    Hours by user that wait for a day's end are made up first: so a midnight during the run changes nothing.
    """
    from costs.usage import complete_user_hours

    complete_user_hours(LONG_AFTER)
    return {table: rows(table) for table in (*PARTIALS, *COSTS)}


def rows(table: str) -> list[Row]:
    """Return one table's rows, without the times of storing, in a fixed order."""
    names = [
        str(name)
        for (name,) in execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY 1",
            [table],
        )
    ]
    kept = ", ".join(name for name in names if name not in TIMES)
    return sorted(execute(f"SELECT {kept} FROM {table}"), key=repr)
