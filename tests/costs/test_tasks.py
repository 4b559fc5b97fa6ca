"""The ticks: what PostgreSQL says is to be done gets done, whatever stands in the way of one day."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
import time_machine
from pytest_django import Settings

from costs import tasks
from costs.models import CostDay, CostGlobalDaily, CostWindow, UsageUserHourly
from costs.rollup import lease
from telemetry.models import Shipment
from tests.costs.events import at, execute, job, store

pytestmark = pytest.mark.django_db(transaction=True)

NOON = at("2024-05-10 12:00")
TODAY = NOON.date()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon of a Friday; cost_settings, whose creation is the first usage, follows by hand."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def kept_since(moment: datetime) -> None:
    execute("UPDATE cost_settings SET created_at = %s", moment)


def jobs_on(day: date) -> int | None:
    return CostGlobalDaily.objects.filter(date=day).values_list("jobs", flat=True).first()


def refreshed(day: date, moment: datetime) -> None:
    execute("UPDATE cost_days SET rolled_up_at = %s WHERE date = %s", moment, day)


def test_folding_leaves_nothing_pending(clock: time_machine.Traveller) -> None:
    store(job(NOON))
    tasks.fold_usage()
    assert not Shipment.objects.exists()


def test_folding_in_another_zone_is_refused_without_failing_the_task(
    clock: time_machine.Traveller, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    store(job(NOON))
    tasks.fold_usage()
    settings.COST_TIMEZONE = "Asia/Kolkata"
    store(job(NOON))
    tasks.fold_usage()
    assert Shipment.objects.count() == 1
    assert "--rebuild-timezone" in caplog.text


def test_today_is_refreshed_every_few_minutes_and_not_before(
    clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.COST_REFRESH_S = 120
    store(job(NOON))
    tasks.fold_usage()
    tasks.rollup_open_days()
    assert jobs_on(TODAY) == 1
    refreshed(TODAY, NOON - timedelta(seconds=119))
    store(job(NOON))
    tasks.fold_usage()
    tasks.rollup_open_days()
    assert jobs_on(TODAY) == 1
    refreshed(TODAY, NOON - timedelta(seconds=120))
    tasks.rollup_open_days()
    assert jobs_on(TODAY) == 2


def test_a_late_row_is_added_by_the_next_tick_whatever_its_age(clock: time_machine.Traveller) -> None:
    for day in (date(2013, 1, 5), TODAY - timedelta(days=1)):
        store(job(at(f"{day} 10:00")))
        tasks.fold_usage()
        tasks.rollup_open_days()
        store(job(at(f"{day} 11:00")))
        tasks.fold_usage()
        tasks.rollup_open_days()
        assert jobs_on(day) == 2


def test_the_ranges_turn_with_the_day_though_nothing_happens(clock: time_machine.Traveller) -> None:
    tasks.rollup_open_days()
    clock.shift(timedelta(days=1))
    tasks.rollup_open_days()
    assert set(CostWindow.objects.values_list("ends_on", flat=True)) == {TODAY + timedelta(days=1)}


def test_the_nightly_close_folds_rolls_up_and_closes_what_is_due_once(
    clock: time_machine.Traveller,
) -> None:
    store(job(NOON - timedelta(days=2)))
    tasks.fold_usage()
    kept_since(NOON - timedelta(days=2))
    store(job(NOON - timedelta(days=1)))
    tasks.rollup_due_days()
    closed = dict(CostDay.objects.filter(closed_at__isnull=False).values_list("date", "closed_at"))
    assert sorted(closed) == [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]
    assert jobs_on(TODAY - timedelta(days=1)) == 1
    tasks.rollup_due_days()
    assert dict(CostDay.objects.filter(closed_at__isnull=False).values_list("date", "closed_at")) == closed


def test_days_without_events_are_closed_with_zero(clock: time_machine.Traveller) -> None:
    store(job(NOON))
    tasks.fold_usage()
    kept_since(NOON - timedelta(days=3))
    tasks.rollup_due_days()
    assert [jobs_on(TODAY - timedelta(days=back)) for back in (1, 2, 3)] == [0, 0, 0]


def test_a_day_that_another_process_has_keeps_no_other_from_its_turn(
    clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    taken, free = TODAY - timedelta(days=2), TODAY - timedelta(days=1)
    store(job(at(f"{taken} 10:00")), job(at(f"{free} 10:00")))
    tasks.fold_usage()
    held = lease.claim(taken)
    tasks.rollup_open_days()
    assert (jobs_on(taken), jobs_on(free)) == (None, 1)
    assert f"{taken} is being rolled up by another process" in caplog.text
    lease.release(held)
    tasks.rollup_open_days()
    assert jobs_on(taken) == 1


@pytest.mark.parametrize("task", ["costs.fold_usage", "costs.rollup_open_days", "costs.rollup_due_days"])
def test_beat_ticks_every_task_in_utc(task: str) -> None:
    from healthpilot.celery import app

    app.loader.import_default_modules()
    assert task in app.tasks
    assert task in {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert app.conf.timezone == "UTC"


def test_a_day_that_is_over_gets_its_usage_by_hour_and_user(clock: time_machine.Traveller) -> None:
    store(job(NOON))
    tasks.fold_usage()
    tasks.rollup_due_days()
    assert not UsageUserHourly.objects.exists()
    clock.move_to(NOON + timedelta(hours=12))
    tasks.rollup_due_days()
    assert list(UsageUserHourly.objects.values_list("user_id", "hour", "jobs")) == [("ada", NOON, 1)]
