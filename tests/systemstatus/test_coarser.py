"""Ten minutes and hours are filled from what was seen, and a clock that is set back ends nothing."""

from datetime import timedelta

import pytest

from systemstatus import coarser
from systemstatus.collector import collect_snapshot
from systemstatus.grains import ensure_partitions
from systemstatus.models import Hour, Snapshot, StatusLease, TenMinutes
from systemstatus.registry import Reading
from tests.systemstatus.test_collector import NOON
from tests.systemstatus.watched import module, only, probe

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
START = NOON.replace(second=0)


def minutes(count: int, *, skip: int | None = None) -> None:
    """Store minutes with a gauge, a count and a histogram; minute 3 of each ten was critical."""
    ensure_partitions(START)
    Snapshot.objects.bulk_create(
        Snapshot(
            module="web",
            captured_at=START + n * MINUTE,
            state="critical" if n % 10 == 3 else "ok",
            error="it was" if n % 10 == 3 else "",
            values={
                "host.disk": 90 if n % 10 == 3 else n % 10,
                "db.cache_hit": {"a": 50 if n % 10 == 3 else 99},
                "api.requests": 2,
                "api.latency": {"20": 1, str(n % 10): 1},
            },
        )
        for n in range(count)
        if n != skip
    )


def test_ten_minutes_keep_the_last_the_worst_and_the_sums() -> None:
    minutes(25)
    assert coarser.fill(START + 25 * MINUTE) == 2
    rows = list(TenMinutes.objects.order_by("captured_at"))
    assert [row.captured_at for row in rows] == [START, START + 10 * MINUTE]
    (first, _) = rows
    assert (first.state, first.error) == ("critical", "it was")
    assert (first.values["host.disk"], first.worst["host.disk"]) == (9, 90)
    assert (first.values["db.cache_hit"], first.worst["db.cache_hit"]) == ({"a": 99}, {"a": 50})
    assert first.values["api.requests"] == 20
    assert sum(first.values["api.latency"].values()) == 20


def test_an_hour_is_made_of_ten_minutes_and_nothing_is_filled_twice() -> None:
    minutes(130)
    assert coarser.fill(START + 130 * MINUTE) > 0
    assert coarser.fill(START + 130 * MINUTE) in {0, 1}
    while coarser.fill(START + 130 * MINUTE):
        pass
    hours = list(Hour.objects.order_by("captured_at"))
    assert [hour.captured_at for hour in hours] == [START, START + 60 * MINUTE]
    assert (hours[0].values["api.requests"], hours[0].worst["host.disk"]) == (120, 90)
    assert TenMinutes.objects.count() == 13


def test_a_span_that_nothing_was_collected_in_stays_empty_and_later_ones_are_filled() -> None:
    minutes(5)
    ensure_partitions(START)
    Snapshot.objects.create(module="web", captured_at=START + 95 * MINUTE, state="ok")
    coarser.fill(START + 101 * MINUTE)
    found = [row.captured_at for row in TenMinutes.objects.order_by("captured_at")]
    assert found == [START, START + 90 * MINUTE]


@pytest.mark.django_db(transaction=True)
def test_a_clock_set_back_an_hour_ends_no_collecting_and_what_comes_again_replaces() -> None:
    value = 1
    with only(module("one", probe(lambda: Reading({"a": value})), probe({"b": 1}, "costly", every_s=600))):
        for n in range(3):
            collect_snapshot(START + n * MINUTE)
        value = 2
        back = START - 58 * MINUTE
        for n in range(3):
            assert not collect_snapshot(back + n * MINUTE).is_busy
        assert collect_snapshot(back + 2 * MINUTE).is_busy
        StatusLease.objects.update(minute=START - MINUTE)
        assert not collect_snapshot(START).is_busy
    assert Snapshot.objects.get(captured_at=START).values["a"] == 2
    assert Snapshot.objects.get(captured_at=back).values == {"a": 2, "b": 1}


@pytest.mark.django_db(transaction=True)
def test_a_lease_of_a_clock_that_was_ahead_is_taken_over() -> None:
    with only(module("one", probe({"a": 1}))):
        collect_snapshot(START)
        StatusLease.objects.filter(name="collector").update(lease_until="2199-01-01T00:00:00Z")
        assert not collect_snapshot(START + MINUTE).is_busy
