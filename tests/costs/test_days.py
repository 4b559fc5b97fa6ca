"""Local days: their bounds, when their close is due, and which are due, in zones with every oddity."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from pytest_django import Settings

from costs.days import (
    close_due_at,
    day_bounds,
    dirty_days,
    due_days,
    has_exact_bounds,
    is_regular,
    last_due_day,
    local_today,
)
from costs.models import CostDay, CostSettings
from tests.costs.events import at

# Zones and days around a change of their clocks, midnight changes and a skipped day among them.
CHANGES = [
    ("UTC", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Kolkata", date(2026, 6, 1)),
    ("Asia/Kathmandu", date(2026, 6, 1)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 30)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("America/St_Johns", date(2010, 3, 14)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Beirut", date(2026, 10, 25)),
    ("America/Havana", date(2026, 11, 1)),
]


def days_around(day: date) -> list[date]:
    return [day + timedelta(days=offset) for offset in range(-2, 3)]


@pytest.mark.parametrize(("zone", "changes_on"), CHANGES)
def test_bounds_hold_every_moment_of_the_day_and_exact_ones_no_other(zone: str, changes_on: date) -> None:
    tz = ZoneInfo(zone)
    for day in days_around(changes_on):
        lower, upper = day_bounds(day, tz)
        moment = lower - timedelta(hours=30)
        while moment < upper + timedelta(hours=30):
            inside, today = lower <= moment < upper, moment.astimezone(tz).date() == day
            assert inside or not today
            assert inside == today or not has_exact_bounds(day, tz)
            moment += timedelta(minutes=1)


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "changes_on"), CHANGES)
def test_postgresql_counts_the_same_days(zone: str, changes_on: date) -> None:
    tz = ZoneInfo(zone)
    first, last = day_bounds(changes_on, tz)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t, (t AT TIME ZONE %s)::date"
            " FROM generate_series(%s::timestamptz, %s, interval '7 minutes') AS t",
            [zone, first - timedelta(days=1), last + timedelta(days=1)],
        )
        assert all(moment.astimezone(tz).date() == day for moment, day in cursor.fetchall())


def test_a_day_is_regular_when_its_clock_stands() -> None:
    berlin, howe = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
    assert is_regular(date(2026, 3, 28), berlin)
    assert not is_regular(date(2026, 3, 29), berlin)
    assert not is_regular(date(2026, 4, 5), howe)
    assert not is_regular(date(2026, 10, 4), howe)
    assert is_regular(date(2026, 6, 1), ZoneInfo("Asia/Kathmandu"))


@pytest.mark.parametrize(
    ("zone", "day", "due"),
    [
        ("UTC", "2026-05-31", "2026-06-01 02:30"),
        ("Asia/Kolkata", "2026-05-31", "2026-05-31 21:00"),
        ("Asia/Kathmandu", "2026-05-31", "2026-05-31 20:45"),
        # 02:30 does not exist on 29 March in Berlin: due at 03:00 summer time.
        ("Europe/Berlin", "2026-03-28", "2026-03-29 01:00"),
        # 02:30 comes twice on 25 October: due at the first, in summer time.
        ("Europe/Berlin", "2026-10-24", "2026-10-25 00:30"),
        ("America/New_York", "2026-03-07", "2026-03-08 07:00"),
        ("America/New_York", "2026-10-31", "2026-11-01 07:30"),
        # Half-hour change: 02:00 becomes 02:30, so 02:30 is the first instant after the gap.
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-03 15:30"),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-04 16:00"),
        # The 30th of December 2011 was skipped: the day before is due as the 31st begins.
        ("Pacific/Apia", "2011-12-29", "2011-12-30 10:00"),
    ],
)
def test_the_close_is_due_at_half_past_two_of_the_next_day(zone: str, day: str, due: str) -> None:
    assert close_due_at(date.fromisoformat(day), ZoneInfo(zone)) == at(due)


@pytest.mark.parametrize(("zone", "changes_on"), CHANGES)
def test_days_fall_due_one_after_the_other(zone: str, changes_on: date) -> None:
    tz = ZoneInfo(zone)
    for day in days_around(changes_on):
        due_at = close_due_at(day, tz)
        assert last_due_day(due_at - timedelta(seconds=1), tz) < day
        assert last_due_day(due_at, tz) >= day
        assert due_at > day_bounds(day, tz)[1] - timedelta(hours=26)


def test_today_is_the_local_day(settings: Settings) -> None:
    settings.COST_TIMEZONE = "Asia/Kolkata"
    assert local_today(at("2026-05-31 18:29")) == date(2026, 5, 31)
    assert local_today(at("2026-05-31 18:30")) == date(2026, 6, 1)


def kept_since(moment: datetime) -> None:
    CostSettings.objects.create(timezone="UTC", created_at=moment)


@pytest.mark.django_db
def test_nothing_is_due_before_any_usage_was_kept() -> None:
    assert due_days(at("2026-06-01 12:00")) == []


@pytest.mark.django_db
def test_days_without_any_event_are_due_from_the_first_usage_on() -> None:
    kept_since(at("2026-05-28 10:00"))
    assert due_days(at("2026-05-29 02:29")) == []
    assert due_days(at("2026-05-29 02:30")) == [date(2026, 5, 28)]
    assert due_days(at("2026-06-01 02:29")) == [date(2026, 5, 28), date(2026, 5, 29), date(2026, 5, 30)]


@pytest.mark.django_db
def test_closed_days_are_not_due_again_and_missed_nights_catch_up() -> None:
    kept_since(at("2026-05-28 10:00"))
    CostDay.objects.create(date=date(2026, 5, 29), closed_at=at("2026-05-30 02:31"))
    assert due_days(at("2026-05-31 12:00")) == [date(2026, 5, 28), date(2026, 5, 30)]


@pytest.mark.django_db
def test_an_imported_day_of_years_ago_is_due_and_the_years_between_are_not() -> None:
    kept_since(at("2026-05-30 10:00"))
    CostDay.objects.create(date=date(2013, 1, 5), dirty_at=at("2026-05-30 10:00"))
    assert due_days(at("2026-05-31 12:00")) == [date(2013, 1, 5), date(2026, 5, 30)]


@pytest.mark.django_db
def test_due_days_follow_the_local_clock_through_both_changes(settings: Settings) -> None:
    settings.COST_TIMEZONE = "Europe/Berlin"
    kept_since(at("2026-03-28 10:00"))
    assert due_days(at("2026-03-29 00:59")) == []
    assert due_days(at("2026-03-29 01:00")) == [date(2026, 3, 28)]
    CostDay.objects.create(date=date(2026, 3, 28), closed_at=at("2026-03-29 01:01"))
    assert due_days(at("2026-03-29 23:00")) == []
    assert due_days(at("2026-03-30 00:30")) == [date(2026, 3, 29)]


@pytest.mark.django_db
def test_dirty_days_come_longest_waiting_first_and_today_only_when_its_figures_are_old() -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    CostDay.objects.create(
        date=date(2026, 6, 1), dirty_at=at("2026-06-01 11:58"), rolled_up_at=at("2026-06-01 11:59")
    )
    CostDay.objects.create(
        date=date(2026, 5, 1), dirty_at=at("2026-06-01 11:50"), rolled_up_at=at("2026-06-01 11:59")
    )
    CostDay.objects.create(date=date(2026, 5, 2), dirty_at=at("2026-06-01 11:40"))
    CostDay.objects.create(date=date(2026, 5, 3), rolled_up_at=at("2026-06-01 11:59"))
    CostDay.objects.create(date=date(2026, 6, 2), dirty_at=at("2026-06-01 11:40"))
    assert dirty_days(now, refresh_s=120) == [date(2026, 5, 2), date(2026, 5, 1)]
    assert dirty_days(now, refresh_s=60) == [date(2026, 5, 2), date(2026, 5, 1), date(2026, 6, 1)]
