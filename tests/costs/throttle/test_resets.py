"""When caps begin anew: in the second in which the local day or month does, in zones with every oddity."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from costs.days import local_today
from costs.throttle.resets import next_reset
from tests.costs.test_days import CHANGES, days_around

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("zone", "changes_on"), CHANGES)
def test_a_day_s_caps_begin_anew_with_the_day(zone: str, changes_on: date, settings: Settings) -> None:
    settings.COST_TIMEZONE = zone
    skipped = {date(2011, 12, 30)} if zone == "Pacific/Apia" else set()
    for day in sorted({*days_around(changes_on)} - skipped):
        at = next_reset(day, "day")
        assert local_today(at - SECOND) == day
        assert local_today(at) > day


@pytest.mark.parametrize(
    ("zone", "day", "at"),
    [
        ("UTC", date(2026, 11, 30), datetime(2026, 12, 1, tzinfo=UTC)),
        ("UTC", date(2026, 12, 1), datetime(2027, 1, 1, tzinfo=UTC)),
        ("UTC", date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC)),
        ("UTC", date(2026, 1, 31), datetime(2026, 2, 1, tzinfo=UTC)),
        ("America/New_York", date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("America/Havana", date(2026, 10, 5), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("Africa/Cairo", date(2026, 4, 3), datetime(2026, 4, 30, 21, tzinfo=UTC)),
    ],
)
def test_a_month_s_caps_begin_anew_with_the_next_month(
    zone: str, day: date, at: datetime, settings: Settings
) -> None:
    settings.COST_TIMEZONE = zone
    assert next_reset(day, "month") == at
