"""The preset ranges: kept by differences, they always equal a rebuild from the daily rows."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from costs import windows
from costs.models import CostUserDaily, CostUserWindow, CostWindow
from costs.rollup import rollup_costs_for_date
from costs.usage import fold_pending
from tests.costs.events import at, empty, execute, job, rows_of, store

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = (
    "telemetry_job_events",
    "telemetry_shipments",
    "usage_hourly",
    "usage_user_hourly",
    "usage_daily",
    "usage_wait_daily",
    "cost_days",
    "cost_settings",
    "cost_user_daily",
    "cost_global_daily",
    "cost_breakdown_daily",
    "cost_user_window",
    "cost_windows",
)
FIRST = date(2024, 5, 1)
KEPT = "days, user_id, tier, last_on, user_days, jobs, ai_calls, cpu_ms, tokens_in, tokens_out, cost_exact"


def ranges() -> list[list[tuple[Any, ...]]]:
    return [rows_of("cost_user_window", KEPT), rows_of("cost_windows", "days, ends_on, users")]


def assert_equal_to_a_rebuild(today: date) -> None:
    kept = ranges()
    windows.rebuild(today)
    assert kept == ranges()


people = st.sampled_from(("ada", "bob"))
# What happens on a morning: days go by, a user works on some day, a user's day is taken back.
steps = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from((1, 2, 6, 8, 40, 100)), st.just(""), st.just("")),
        st.tuples(
            st.just("work"),
            st.integers(0, 12),
            st.sampled_from(("ada", "bob")),
            st.sampled_from(("free", "pro")),
        ),
        st.tuples(st.just("undo"), st.integers(0, 12), st.sampled_from(("ada", "bob")), st.just("")),
    ),
    max_size=12,
)


@effort(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_ranges_kept_by_differences_equal_a_rebuild(history: list[tuple[str, int, str, str]]) -> None:
    empty(TABLES)
    today = FIRST
    for what, days, user_id, tier in history:
        if what == "pass":
            today += timedelta(days=days)
            with time_machine.travel(at(f"{today} 12:00"), tick=False):
                windows.advance(today)
            continue
        day = today - timedelta(days=days)
        with time_machine.travel(at(f"{today} 12:00"), tick=False):
            if what == "work":
                store(job(f"{day} 10:00", user_id=user_id, tier=tier, cpu_ms=7))
                fold_pending()
            else:
                execute("DELETE FROM usage_daily WHERE day = %s AND user_id = %s", day, user_id)
            rollup_costs_for_date(day)
    if CostWindow.objects.exists():
        assert_equal_to_a_rebuild(today)


def make_days(*days: date, user_id: str = "ada", tier: str = "pro", cost: str = "0.1") -> None:
    for day in days:
        CostUserDaily.objects.create(
            user_id=user_id, date=day, tier=tier, jobs=1, cost_usd=Decimal(cost), cost_exact=Decimal(cost)
        )


def test_a_range_holds_the_days_that_end_today() -> None:
    make_days(*(FIRST - timedelta(days=back) for back in (0, 6, 7, 29, 30, 89, 90)))
    windows.advance(FIRST)
    assert dict(CostUserWindow.objects.values_list("days", "jobs")) == {7: 2, 30: 4, 90: 6}


def test_a_new_day_lets_the_oldest_go_and_users_without_a_day_leave() -> None:
    make_days(FIRST - timedelta(days=6))
    make_days(FIRST, user_id="bob")
    windows.advance(FIRST)
    assert dict(CostWindow.objects.values_list("days", "users")) == {7: 2, 30: 2, 90: 2}
    windows.advance(FIRST + timedelta(days=1))
    assert list(CostUserWindow.objects.filter(days=7).values_list("user_id", "jobs")) == [("bob", 1)]
    assert dict(CostWindow.objects.values_list("days", "users")) == {7: 1, 30: 2, 90: 2}


def test_the_tier_is_that_of_the_newest_day() -> None:
    make_days(FIRST, tier="pro")
    make_days(FIRST - timedelta(days=1), tier="free")
    windows.advance(FIRST)
    assert set(CostUserWindow.objects.values_list("tier", flat=True)) == {"pro"}


def test_a_clock_set_back_rebuilds_the_ranges() -> None:
    make_days(FIRST, FIRST - timedelta(days=7))
    windows.advance(FIRST)
    windows.advance(FIRST - timedelta(days=1))
    assert dict(CostUserWindow.objects.values_list("days", "user_days")) == {7: 1, 30: 1, 90: 1}


def test_a_day_outside_every_range_changes_none() -> None:
    windows.advance(FIRST)
    store(job("2013-01-05 10:00"))
    fold_pending()
    rollup_costs_for_date(date(2013, 1, 5))
    assert not CostUserWindow.objects.exists()


def test_a_user_whose_newest_day_is_taken_back_has_the_tier_of_the_day_before() -> None:
    with time_machine.travel(at(f"{FIRST} 12:00"), tick=False):
        yesterday = FIRST - timedelta(days=1)
        store(job(f"{yesterday} 10:00", tier="free"), job(f"{FIRST} 10:00", tier="pro"))
        rollup_costs_for_date(yesterday)
        rollup_costs_for_date(FIRST)
        assert set(CostUserWindow.objects.values_list("tier", "last_on")) == {("pro", FIRST)}
        execute("DELETE FROM usage_daily WHERE day = %s", FIRST)
        rollup_costs_for_date(FIRST)
        assert set(CostUserWindow.objects.values_list("tier", "last_on")) == {("free", yesterday)}
        assert_equal_to_a_rebuild(FIRST)
