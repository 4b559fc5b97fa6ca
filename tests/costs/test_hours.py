"""How a day's cost falls on its hours, and what of it has usually been spent by a time of day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command

from costs import hours, month, queries
from costs.models import CostDay
from costs.rollup import rollup_costs_for_date
from tests.costs.events import job, store

pytestmark = pytest.mark.django_db(transaction=True)

# A Wednesday, at half past nine in the evening.
NOW = datetime(2024, 5, 8, 21, 30, tzinfo=UTC)
TODAY = NOW.date()


def noted(back: int, shares: list[int] | None) -> CostDay:
    return CostDay.objects.create(
        date=TODAY - timedelta(days=back), closed_at=NOW, rolled_up_at=NOW, hours_json=shares
    )


def even() -> list[int]:
    return [hours.WHOLE * (hour + 1) // 24 for hour in range(24)]


def rolled_up_today(at: datetime | None = NOW) -> None:
    CostDay.objects.create(date=TODAY, rolled_up_at=at)


def test_a_closed_day_is_noted_once_with_the_running_share_of_each_hour() -> None:
    yesterday = TODAY - timedelta(days=1)
    store(
        job(f"{yesterday} 03:10", cpu_ms=1000),
        job(f"{yesterday} 03:50", cpu_ms=1000),
        job(f"{yesterday} 20:00", cpu_ms=6000),
    )
    with time_machine.travel(NOW, tick=False):
        rollup_costs_for_date(yesterday)
        rollup_costs_for_date(TODAY)
        assert hours.note_hours(NOW) == 1
        assert hours.note_hours(NOW) == 0
    shares = CostDay.objects.get(date=yesterday).hours_json
    assert shares == [0] * 3 + [250_000] * 17 + [1_000_000] * 4
    assert CostDay.objects.get(date=TODAY).hours_json is None


def test_a_day_without_a_cost_is_noted_as_empty_and_counts_nowhere() -> None:
    noted(1, None)
    assert hours.note_hours(NOW) == 1
    rolled_up_today()
    assert CostDay.objects.get(date=TODAY - timedelta(days=1)).hours_json == []
    assert hours.share_by_now(TODAY) is None


def test_hours_are_those_of_the_cost_time_zone(settings: pytest.FixtureRequest) -> None:
    yesterday = TODAY - timedelta(days=1)
    settings.COST_TIMEZONE = "Asia/Kolkata"  # type: ignore[attr-defined] # half an hour beside the clock
    store(job("2024-05-07 00:10", cpu_ms=1000))
    with time_machine.travel(NOW, tick=False):
        rollup_costs_for_date(yesterday)
        hours.note_hours(NOW)
    assert CostDay.objects.get(date=yesterday).hours_json == [0] * 5 + [1_000_000] * 19


def test_within_an_hour_the_share_grows_evenly() -> None:
    noted(1, even())
    rolled_up_today()
    found = hours.share_by_now(TODAY)
    assert found is not None
    assert abs(found - Decimal("21.5") / 24) < Decimal("0.00001")


def test_two_days_of_the_same_weekday_are_enough_to_leave_out_the_others() -> None:
    late = [0] * 23 + [hours.WHOLE]
    for back in (1, 2, 3, 7):
        noted(back, even() if back < 7 else late)
    rolled_up_today()
    assert hours.share_by_now(TODAY) not in {0, None}
    noted(14, late)
    assert hours.share_by_now(TODAY) == 0


@pytest.mark.parametrize("at", [None, NOW - timedelta(days=1)])
def test_while_today_was_not_rolled_up_all_of_it_is_to_come(at: datetime | None) -> None:
    noted(1, even())
    rolled_up_today(at)
    assert hours.share_by_now(TODAY) == 0


def test_the_command_notes_hours_and_the_month_ends_with_what_usually_follows() -> None:
    """Every day costs 1 at noon and 1 at ten in the evening; today cost 3 by half past nine."""
    for back in range(1, 29):
        day = TODAY - timedelta(days=back)
        store(job(f"{day} 12:00", cpu_ms=50_000_000), job(f"{day} 22:00", cpu_ms=50_000_000))
    store(job(f"{TODAY} 12:00", cpu_ms=150_000_000))
    with time_machine.travel(NOW, tick=False):
        call_command("rollup_costs", "--days", "29", "--json")
        CostDay.objects.filter(date=TODAY).update(rolled_up_at=NOW)
        found = month.month(queries.extent(), TODAY)
    assert found.projection is not None
    assert found.projection.middle[0] - found.projection.spent == 1
    assert found.projection.total == 7 * 2 + 3 + 1 + 2 * len(found.projection.days[1:])
    assert found.days[-1] == date(2024, 5, 31)
