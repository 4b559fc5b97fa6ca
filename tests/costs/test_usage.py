"""Usage partials: whatever the order, the steps and the interruptions, they equal a rebuild from raw rows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pytest_django import Settings

from costs.models import CostDay, CostSettings, UsageDaily, UsageHourly, UsageUserHourly, UsageWaitDaily
from costs.usage import (
    FoldBusy,
    RawRowsGone,
    ZoneChanged,
    complete_user_hours,
    fold_pending,
    has_raw_rows_gone,
    rebuild_day_from_raw,
)
from costs.usage.fold import fold_chunk, pieces
from costs.usage.lock import mark_dirty
from costs.usage.user_hours import fill_hours
from telemetry.models import DroppedPartition, Shipment
from tests.costs.events import PARTIALS, at, between, call, empty, execute, job, partials, rows_of, store

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = (
    "telemetry_job_events",
    "telemetry_llm_events",
    "telemetry_shipments",
    "usage_hourly",
    "usage_user_hourly",
    "usage_daily",
    "usage_wait_daily",
    "cost_days",
    "cost_settings",
)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")

# Around midnight and the clock changes of 2010 and 2024, in UTC.
moments = st.one_of(
    between("2024-10-26 00:00", "2024-10-28 00:00"),
    between("2024-04-06 10:00", "2024-04-06 20:00"),
    between("2010-11-07 01:00", "2010-11-07 06:00"),
)
users = st.sampled_from(("ada", "bob"))
tiers = st.sampled_from(("free", "pro"))
events = st.one_of(
    st.builds(
        lambda moment, user, tier, wait: job(
            moment, user_id=user, tier=tier, cpu_ms=1, queue_wait_ms=wait, attempt=2, duration_ms=5
        ),
        moments,
        users,
        tiers,
        st.one_of(st.none(), st.integers(0, 10**9)),
    ),
    st.builds(
        lambda moment, user, tier: call(moment, user_id=user, tier=tier, input_tokens=3, duration_ms=4),
        moments,
        users,
        tiers,
    ),
)
batches = st.lists(st.lists(events, min_size=1, max_size=8), max_size=6)


# What day it is at each step: before all events, at one of theirs, or long after.
todays = st.lists(
    st.sampled_from(
        [date(2010, 1, 1), date(2010, 11, 7), date(2024, 4, 7), date(2024, 10, 27), date(2026, 1, 1)]
    ),
    min_size=6,
    max_size=6,
)


@effort(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches, st.integers(1, 20), st.sampled_from(ZONES), st.sets(st.integers(0, 5)), todays)
def test_folding_in_any_steps_equals_a_rebuild_from_raw_rows(
    stored: list[list[dict[str, Any]]], max_events: int, zone: str, fold_after: set[int], on: list[date]
) -> None:
    empty(TABLES)
    with override_settings(COST_TIMEZONE=zone):
        for number, batch in enumerate(stored):
            store(*batch)
            if number in fold_after:
                with today_is(on[number]):
                    fold_pending(max_events=max_events)
                complete_user_hours(at(f"{on[number]} 12:00"))
        fold_pending(max_events=max_events)
        folded = partials()
        assert total_events() == sum(map(len, stored))
        days = list(CostDay.objects.values_list("date", flat=True))
        empty(PARTIALS)
        for day in days:
            rebuild_day_from_raw(day)
        assert partials() == folded


@contextmanager
def today_is(day: date) -> Iterator[None]:
    """Fold as on a day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("costs.usage.fold.local_today", lambda now: day)
        yield


def total_events() -> int:
    return sum(row.jobs + row.ai_calls for row in UsageDaily.objects.all())


def test_each_sum_counts_what_its_name_says() -> None:
    store(
        job(
            "2024-05-04 10:10",
            success=False,
            attempt=2,
            duration_ms=5,
            cpu_ms=7,
            rows_read=11,
            rows_written=13,
        ),
        job("2024-05-04 10:50"),
        call(
            "2024-05-04 10:20",
            success=False,
            input_tokens=100,
            cached_input_tokens=40,
            output_tokens=20,
            reasoning_tokens=5,
            duration_ms=900,
        ),
        call("2024-05-04 10:30", cache_hit=True, avoided_input_tokens=50, avoided_output_tokens=6),
    )
    assert fold_pending() == 4
    jobs, calls = UsageDaily.objects.order_by("model")
    assert (jobs.model, jobs.jobs, jobs.job_failures, jobs.job_retries) == ("", 2, 1, 1)
    assert (jobs.duration_ms, jobs.cpu_ms, jobs.rows_read, jobs.rows_written) == (5, 7, 11, 13)
    assert jobs.last_event_at == at("2024-05-04 10:50")
    assert (calls.model, calls.ai_calls, calls.llm_failures, calls.cache_hits) == ("m-small", 2, 1, 1)
    assert (calls.input_tokens, calls.cached_input_tokens, calls.output_tokens) == (100, 40, 20)
    assert (calls.reasoning_tokens, calls.avoided_input_tokens, calls.avoided_output_tokens) == (5, 50, 6)
    assert calls.llm_duration_ms == 900


def test_queue_waits_fall_into_buckets_of_a_quarter_octave() -> None:
    waits = {0: 0, 1: 0, 2: 4, 3: 7, 4: 8, 1024: 40, 1025: 41, 10**9: 120, 2**29: 116}
    store(*(job("2024-05-04 10:00", queue_wait_ms=wait) for wait in waits))
    fold_pending()
    buckets = {row.bucket: row.waits for row in UsageWaitDaily.objects.all()}
    assert buckets == {bucket: list(waits.values()).count(bucket) for bucket in waits.values()}
    assert all(2 ** (bucket / 4) >= wait * 0.999999 for wait, bucket in waits.items())


def test_days_and_hours_are_local(settings: Settings) -> None:
    settings.COST_TIMEZONE = "Asia/Kathmandu"
    store(job("2024-05-04 18:14"), job("2024-05-04 18:15"))
    fold_pending()
    assert [(row.day, row.hour) for row in UsageHourly.objects.order_by("hour")] == [
        (date(2024, 5, 4), at("2024-05-04 17:15")),
        (date(2024, 5, 5), at("2024-05-04 18:15")),
    ]


def test_a_call_without_a_model_is_kept_apart_from_jobs() -> None:
    store(job("2024-05-04 10:00", domain="ai"), call("2024-05-04 10:00"))
    execute("UPDATE telemetry_llm_events SET llm_model = ''")
    fold_pending()
    assert sorted(UsageDaily.objects.values_list("model", "jobs", "ai_calls")) == [
        ("", 1, 0),
        ("unknown", 0, 1),
    ]


def test_a_fold_marks_its_days_dirty_from_the_first_change_on() -> None:
    store(job("2024-05-04 10:00"))
    fold_pending()
    first = CostDay.objects.get().dirty_at
    store(job("2024-05-04 11:00"), job("2013-01-05 10:00"))
    fold_pending()
    assert CostDay.objects.get(date=date(2024, 5, 4)).dirty_at == first
    assert CostDay.objects.get(date=date(2013, 1, 5)).dirty_at is not None


def test_nothing_pending_touches_nothing() -> None:
    assert fold_pending() == 0
    assert not CostSettings.objects.exists()


def test_a_transaction_that_commits_late_is_neither_missed_nor_counted_twice() -> None:
    store(job("2024-05-04 10:00"))
    with other_connection() as other:
        other.execute(
            "INSERT INTO telemetry_job_events (job_type, user_id, tier, domain, success, created_at)"
            " VALUES ('late', 'ada', 'pro', 'sync', true, '2024-05-04 09:00Z')"
        )
        store(job("2024-05-04 11:00"))
        assert fold_pending() == 2
        store(job("2024-05-04 12:00"))
        other.commit()
    # The late one's number lies before those folded already, the newest after them.
    assert fold_pending() == 2
    assert fold_pending() == 0
    assert total_events() == 4


def test_rows_that_are_pending_elsewhere_are_left_to_the_fold_by_a_rebuild() -> None:
    # One transaction with rows on both sides of midnight: its mark is not inside either day.
    store(job("2024-05-04 23:59"), job("2024-05-05 00:01"))
    rebuild_day_from_raw(date(2024, 5, 4))
    assert total_events() == 0
    fold_pending()
    rebuild_day_from_raw(date(2024, 5, 4))
    rebuild_day_from_raw(date(2024, 5, 5))
    assert total_events() == 2


def test_a_rebuild_counts_what_is_pending_inside_its_day_once() -> None:
    store(job("2024-05-04 10:00"))
    rebuild_day_from_raw(date(2024, 5, 4))
    assert not Shipment.objects.exists()
    assert fold_pending() == 0
    assert total_events() == 1


def test_a_rebuild_leaves_other_days_alone() -> None:
    store(job("2024-05-04 10:00"), job("2024-05-05 10:00"))
    fold_pending()
    execute("UPDATE usage_daily SET cpu_ms = 5")
    rebuild_day_from_raw(date(2024, 5, 4))
    assert dict(UsageDaily.objects.values_list("day", "cpu_ms")) == {date(2024, 5, 4): 0, date(2024, 5, 5): 5}


def test_a_rebuild_rewrites_only_what_differs() -> None:
    store(job("2024-05-04 10:00"), job("2024-05-04 10:00", user_id="bob"))
    fold_pending()
    before = rows_of("usage_daily", "xmin::text, user_id")
    rebuild_day_from_raw(date(2024, 5, 4))
    assert rows_of("usage_daily", "xmin::text, user_id") == before


@pytest.mark.parametrize(
    ("lower", "upper", "gone"),
    [
        ("2024-05-04 00:00", "2024-05-05 00:00", True),
        ("2024-05-03 00:00", "2024-05-04 00:00", False),
        ("2024-05-05 00:00", "2024-05-06 00:00", False),
        ("2024-05-01 00:00", "2024-06-01 00:00", True),
    ],
)
def test_a_day_whose_raw_rows_retention_dropped_is_not_rebuilt(lower: str, upper: str, gone: bool) -> None:
    DroppedPartition.objects.create(table_name="telemetry_job_events", lower_at=at(lower), upper_at=at(upper))
    assert has_raw_rows_gone(date(2024, 5, 4)) is gone
    if gone:
        with pytest.raises(RawRowsGone, match="2024-05-04"):
            rebuild_day_from_raw(date(2024, 5, 4))


def test_a_local_day_misses_raw_rows_when_one_of_its_two_partitions_is_gone(settings: Settings) -> None:
    settings.COST_TIMEZONE = "Asia/Kolkata"
    DroppedPartition.objects.create(
        table_name="telemetry_job_events", lower_at=at("2024-05-03 00:00"), upper_at=at("2024-05-04 00:00")
    )
    assert has_raw_rows_gone(date(2024, 5, 4))
    assert not has_raw_rows_gone(date(2024, 5, 5))


def test_another_zone_than_that_of_the_partials_is_refused(settings: Settings) -> None:
    store(job("2024-05-04 10:00"))
    fold_pending()
    settings.COST_TIMEZONE = "Europe/Berlin"
    store(job("2024-05-04 10:00"))
    with pytest.raises(ZoneChanged, match=r"kept in UTC.*--rebuild-timezone"):
        fold_pending()
    assert Shipment.objects.count() == 1


def test_a_second_folder_gives_up_at_once_or_after_its_wait() -> None:
    store(job("2024-05-04 10:00"))
    fold_pending()
    store(job("2024-05-04 10:00"))
    with other_connection() as other:
        other.execute("SELECT FROM cost_settings FOR UPDATE")
        started = datetime.now(UTC)
        with pytest.raises(FoldBusy):
            fold_pending(wait_s=0)
        assert datetime.now(UTC) - started < timedelta(seconds=2)
        with pytest.raises(FoldBusy):
            fold_pending(wait_s=0.3)
    assert fold_pending(wait_s=0) == 1


def test_many_folders_at_once_count_every_row_once() -> None:
    for number in range(30):
        store(job("2024-05-04 10:00", user_id=f"u{number % 3}"))

    def work() -> None:
        try:
            fold_pending(max_events=2)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total_events() == 30


def test_each_transaction_folds_a_chunk_and_what_arrives_meanwhile_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(5):
        store(job("2024-05-04 10:00"))
    folded: list[int] = []

    def fold_and_store(*arguments: Any) -> int:
        store(job("2024-05-04 10:00"))
        folded.append(fold_chunk(*arguments))
        return folded[-1]

    monkeypatch.setattr("costs.usage.fold.fold_chunk", fold_and_store)
    assert fold_pending(max_events=2) == 5
    assert folded == [2, 2, 1]


def test_a_fold_that_dies_midway_loses_nothing_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store(job("2024-05-04 10:00"))
    store(job("2024-05-04 11:00"))
    deaths = iter([True, False, False])

    def die_once(*arguments: Any, **more: Any) -> None:
        if next(deaths):
            raise KeyboardInterrupt
        mark_dirty(*arguments, **more)

    monkeypatch.setattr("costs.usage.fold.mark_dirty", die_once)
    with pytest.raises(KeyboardInterrupt):
        fold_pending(max_events=1)
    assert (total_events(), Shipment.objects.count()) == (0, 2)
    assert fold_pending(max_events=1) == 2
    assert total_events() == 2


@contextmanager
def other_connection() -> Iterator[psycopg.Connection]:
    """A second session on the test database, in a transaction that is undone unless committed."""
    values = connection.get_connection_params()
    with psycopg.connect(host=values.get("host"), user=values["user"], dbname=values["dbname"]) as other:
        yield other
        other.rollback()


@pytest.mark.parametrize("rebuilt", [False, True])
def test_a_transaction_that_folds_what_it_stored_may_store_more(rebuilt: bool) -> None:
    with transaction.atomic():
        store(job("2024-05-04 10:00"), call("2024-05-04 10:00"))
        if rebuilt:
            rebuild_day_from_raw(date(2024, 5, 4))
        fold_pending()
        assert total_events() == 2
        store(job("2024-05-04 10:00"), call("2024-05-04 10:00"))
        fold_pending()
        assert total_events() == 4
    assert fold_pending() == 0
    rebuild_day_from_raw(date(2024, 5, 4))
    assert total_events() == 4


# On 7 November 2010 clocks in St. John's went from 00:01 back to 23:01 of the 6th: the 7th began twice.
SEVENTH = [at("2010-11-07 02:30") + timedelta(seconds=30), at("2010-11-07 03:31")]
SIXTH = at("2010-11-07 02:45")


@pytest.mark.parametrize("folded", [False, True])
def test_a_day_that_begins_twice_is_rebuilt_without_the_other_days_rows(
    settings: Settings, folded: bool
) -> None:
    settings.COST_TIMEZONE = "America/St_Johns"
    for moment in (*SEVENTH, SIXTH):
        store(job(moment))
    if folded:
        fold_pending()
    rebuild_day_from_raw(date(2010, 11, 7))
    rebuild_day_from_raw(date(2010, 11, 6))
    fold_pending()
    assert dict(UsageDaily.objects.values_list("day", "jobs")) == {date(2010, 11, 7): 2, date(2010, 11, 6): 1}


def test_hours_after_a_half_hour_change_begin_where_the_new_clock_says(settings: Settings) -> None:
    settings.COST_TIMEZONE = "Australia/Lord_Howe"
    store(job("2024-04-06 14:10"), job("2024-04-06 15:40"))
    rebuild_day_from_raw(date(2024, 4, 7))
    assert sorted(UsageHourly.objects.values_list("hour", flat=True)) == [
        at("2024-04-06 14:00"),
        at("2024-04-06 15:30"),
    ]


def test_a_rebuild_marks_its_day_dirty() -> None:
    rebuild_day_from_raw(date(2024, 5, 4))
    assert CostDay.objects.get(date=date(2024, 5, 4)).dirty_at is not None


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM usage_hourly WHERE model = ''",
        "UPDATE usage_hourly SET input_tokens = 9 WHERE model <> ''",
        "UPDATE usage_hourly SET model = 'other' WHERE model <> ''",
        "DELETE FROM usage_user_hourly WHERE user_id = 'u7'",
        "UPDATE usage_user_hourly SET input_tokens = 9 WHERE user_id = 'u7' AND model <> ''",
        "UPDATE usage_user_hourly SET user_id = 'u99' WHERE user_id = 'u7'",
        "DELETE FROM usage_user_hourly",
        "UPDATE usage_wait_daily SET waits = waits + 1",
    ],
)
def test_a_rebuild_mends_hours_that_do_not_add_up_be_they_few_or_all(damage: str) -> None:
    for number in range(30):
        who = {"user_id": f"u{number}"}
        store(job("2024-05-04 10:00", queue_wait_ms=3, **who), job("2024-05-04 12:00", **who))
        store(call("2024-05-04 10:00", input_tokens=5, **who))
    fold_pending()
    whole = partials()
    execute(damage)
    assert partials() != whole
    rebuild_day_from_raw(date(2024, 5, 4))
    assert partials() == whole


FOURTH = date(2024, 5, 4)


def hours_of_users() -> list[tuple[str, datetime, int]]:
    return sorted(UsageUserHourly.objects.values_list("user_id", "hour", "jobs"))


def test_hours_by_user_of_today_are_made_once_it_is_over_and_kept_current_from_then_on() -> None:
    with today_is(FOURTH):
        store(job("2024-05-04 10:00"), job("2024-05-04 10:20"), job("2024-05-04 11:00", user_id="bob"))
        fold_pending()
        assert not hours_of_users()
        assert sum(UsageHourly.objects.values_list("jobs", flat=True)) == total_events() == 3
        assert complete_user_hours(at("2024-05-04 23:59")) == 0
    store(job("2024-05-04 23:00"))
    fold_pending()
    assert not hours_of_users()
    store(job("2024-05-04 12:00"))
    assert complete_user_hours(at("2024-05-05 00:00")) == 1
    whole = [("ada", at("2024-05-04 10:00"), 2), ("ada", at("2024-05-04 23:00"), 1)]
    assert hours_of_users() == [*whole, ("bob", at("2024-05-04 11:00"), 1)]
    fold_pending()
    assert ("ada", at("2024-05-04 12:00"), 1) in hours_of_users()
    assert complete_user_hours(at("2024-05-05 00:00")) == 0


def test_what_is_folded_while_hours_by_user_are_being_made_is_made_up() -> None:
    with today_is(FOURTH):
        store(job("2024-05-04 10:00"), *(job("2024-05-04 09:00", user_id=f"u{n}") for n in range(20)))
        fold_pending()
    fill_hours(FOURTH, wait_s=1)
    assert len(hours_of_users()) == 21
    store(job("2024-05-04 10:30"), job("2024-05-04 11:00"))
    fold_pending()
    complete_user_hours(at("2024-05-05 00:00"))
    ada = [(hour, jobs) for user, hour, jobs in hours_of_users() if user == "ada"]
    assert ada == [(at("2024-05-04 10:00"), 2), (at("2024-05-04 11:00"), 1)]
    made = partials()
    execute("DELETE FROM usage_user_hourly")
    rebuild_day_from_raw(FOURTH)
    assert partials() == made


def test_hours_by_user_wait_for_no_day_whose_raw_rows_are_gone() -> None:
    with today_is(FOURTH):
        store(job("2024-05-04 10:00"))
        fold_pending()
    DroppedPartition.objects.create(
        table_name="telemetry_job_events", lower_at=at("2024-05-04 00:00"), upper_at=at("2024-05-05 00:00")
    )
    complete_user_hours(at("2024-05-05 00:00"))
    assert not hours_of_users()
    assert CostDay.objects.get().user_hours_due_at is None
    assert total_events() == 1


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("10:05", "10:55", 1),
        ("10:30", "11:10", 2),
        ("10:00", "11:00", 2),
        ("10:30", "11:31", 1),
        ("23:40", "23:59", 1),
    ],
)
def test_a_short_span_is_folded_by_its_hours(first: str, last: str, count: int) -> None:
    span = at(f"2024-05-04 {first}"), at(f"2024-05-04 {last}")
    with connection.cursor() as cursor:
        found = pieces(cursor, *span, "UTC")
    assert len(found) == count
    assert (found[0].first, found[-1].last) == span
    assert all(one.hour is None or one.hour[1] <= one.first <= one.last for one in found)


def test_a_span_over_a_clock_change_within_an_hour_is_not_taken_for_even_hours() -> None:
    # On Lord Howe Island the clock went from 02:00 back to 01:30 at 15:00 UTC.
    with connection.cursor() as cursor:
        (whole,) = pieces(cursor, at("2024-04-06 14:10"), at("2024-04-06 15:10"), "Australia/Lord_Howe")
    assert whole.hour is None


def test_short_spans_around_every_clock_change_equal_a_rebuild(settings: Settings) -> None:
    settings.COST_TIMEZONE = "Australia/Lord_Howe"
    moments = [at("2024-04-06 13:35") + timedelta(minutes=5 * number) for number in range(36)]
    for first in range(len(moments) - 12):
        store(*(job(moment) for moment in moments[first : first + 12 : 1 + first % 3]))
    fold_pending(max_events=1)
    folded = partials()
    empty(PARTIALS)
    for day in (date(2024, 4, 6), date(2024, 4, 7)):
        rebuild_day_from_raw(day)
    assert partials() == folded
