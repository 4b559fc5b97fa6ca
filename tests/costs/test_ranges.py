"""Ranges of local days: complete days, the days before, and how they are said."""

from datetime import date, timedelta

import pytest

from costs.ranges import DateRange, ending_today, spoken

TODAY = date(2026, 11, 22)


def test_a_range_of_n_days_ends_today_and_includes_it() -> None:
    week = ending_today(7, TODAY)
    assert (week.first_on, week.last_on, week.days) == (date(2026, 11, 16), TODAY, 7)
    assert week.preset == 7


def test_today_is_never_complete() -> None:
    assert ending_today(7, TODAY).complete_dates[-1] == TODAY - timedelta(days=1)
    assert ending_today(1, TODAY).complete_dates == []


def test_a_past_range_is_complete_to_its_last_day() -> None:
    past = DateRange(date(2023, 11, 10), date(2023, 11, 16), TODAY)
    assert past.complete_dates == past.dates
    assert not past.has_today
    assert past.preset is None


def test_the_previous_period_has_as_many_days_and_the_same_weekdays() -> None:
    week = ending_today(7, TODAY)
    assert len(week.previous_dates) == len(week.complete_dates) == 6
    assert [day.weekday() for day in week.previous_dates] == [day.weekday() for day in week.complete_dates]
    assert week.previous_dates[-1] < week.first_on


def test_a_preset_stays_relative_in_links_and_cursors_and_other_days_do_not() -> None:
    assert ending_today(30, TODAY).query == "days=30"
    assert DateRange(date(2023, 11, 10), date(2023, 11, 16), TODAY).query == "from=2023-11-10&to=2023-11-16"
    assert ending_today(8, TODAY).preset is None


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 11, 16), date(2026, 11, 16), "16 Nov 2026"),
        (date(2026, 11, 10), date(2026, 11, 16), "10–16 Nov 2026"),
        (date(2026, 10, 18), date(2026, 11, 16), "18 Oct – 16 Nov 2026"),
        (date(2025, 12, 18), date(2026, 1, 16), "18 Dec 2025 – 16 Jan 2026"),
    ],
)
def test_a_range_is_said_without_repeating_itself(first: date, last: date, text: str) -> None:
    assert spoken(first, last) == text
