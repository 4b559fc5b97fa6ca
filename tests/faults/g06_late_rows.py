"""G6: rows that commit after their day's rollup are added by the next ticks, whatever their age."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import psycopg
from django.db import connection

from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

AGES = {
    "tiny": (1, 40),
    "normal": (1, 2, 40, 400, 2000),
    "full": (1, 2, 3, 7, 30, 89, 91, 100, 200, 400, 1000, 2000),
}
LATE = """
    INSERT INTO telemetry_llm_events
        (user_id, tier, llm_model, context_type, input_tokens, output_tokens, success, created_at)
    VALUES ('late', 'pro', 'gpt-4o-mini', 'chat', 1000000, 0, true, %s)"""
LATE_USD = Fraction(15, 100)


def try_it(size: Size) -> str:
    """Keep a transaction open across the close of its row's day, commit it after others, and tick."""
    for days_back in AGES[size]:
        assert_added(datetime.now(UTC) - timedelta(days=days_back))
    oldest = max(AGES[size])
    return (
        f"{len(AGES[size])} rows, up to {oldest} days old, committed after the close: added by the next tick"
    )


def assert_added(moment: datetime) -> None:
    """Close the row's day while its transaction is open, let later ones be folded first, commit."""
    from tests.costs.events import call, store

    empty()
    store(call(moment, user_id="punctual", input_tokens=1_000_000, output_tokens=0))
    with psycopg.connect(**parameters()) as late:
        late.execute(LATE, [moment])
        store(call(moment, user_id="after", input_tokens=1_000_000, output_tokens=0))
        tick()
        assert cost_of(moment.date()) == 2 * LATE_USD, "the rows that were committed are not all there"
        assert is_closed(moment.date()), "the day is not closed"
        late.commit()
    tick()
    assert cost_of(moment.date()) == 3 * LATE_USD, f"the late row of {moment:%Y-%m-%d} was not added"
    tick()
    assert cost_of(moment.date()) == 3 * LATE_USD, f"the late row of {moment:%Y-%m-%d} was added twice"


def parameters() -> dict[str, Any]:
    """Return what a connection beside Django's needs."""
    wanted = ("dbname", "user", "password", "host", "port")
    return {name: value for name, value in connection.get_connection_params().items() if name in wanted}


def tick() -> None:
    """Run what the schedule runs every minute, once."""
    from costs.tasks import fold_usage, rollup_due_days, rollup_open_days

    fold_usage()
    rollup_open_days()
    rollup_due_days()


def cost_of(day: date) -> Fraction:
    rows: list[Any] = execute("SELECT cost_exact FROM cost_global_daily WHERE date = %s", [day])
    return Fraction(rows[0][0]) if rows else Fraction(0)


def is_closed(day: date) -> bool:
    # Yesterday's close is due at 02:30; before that nothing is closed yet, and the promise is the same.
    rows = execute(
        "SELECT closed_at IS NOT NULL OR %s FROM cost_days WHERE date = %s", [day >= last_open_day(), day]
    )
    return bool(rows and rows[0][0])


def last_open_day() -> date:
    """Return the oldest day whose close is not due yet."""
    return (datetime.now(UTC) - timedelta(hours=26, minutes=30)).date() + timedelta(days=1)
