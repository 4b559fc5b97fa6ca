"""Snapshots lie in partitions that are made ahead and dropped in time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from systemstatus import grains
from systemstatus.models import Snapshot

NOW = datetime(2026, 5, 30, 23, 50, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_partitions(db: None) -> None:
    """Begin without any, whatever other tests made; they are there again after this test's transaction."""
    for grain in grains.GRAINS:
        for name, _, _ in grains.partitions(grain):
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {name}")


@pytest.mark.parametrize(
    ("grain", "first", "last"),
    [
        (grains.MINUTES, "20260530", "20260601"),
        (grains.TENS, "20260525", "20260601"),
        (grains.HOURS, "20260501", "20260601"),
    ],
)
def test_partitions_are_there_for_now_and_two_days_ahead(grain: grains.Grain, first: str, last: str) -> None:
    grains.ensure_partitions(NOW)
    grains.ensure_partitions(NOW)
    names = [name.rpartition("_")[2] for name, _, _ in grains.partitions(grain)]
    assert (names[0], names[-1]) == (first, last)


@pytest.mark.parametrize(("kept", "grain"), [(2, 0), (30, 1), (400, 2)])
def test_a_partition_goes_once_its_last_row_is_past_its_time(kept: int, grain: int) -> None:
    grains.ensure_partitions(NOW)
    table = grains.GRAINS[grain].table
    _, _, upper = grains.partitions(grains.GRAINS[grain])[0]
    gone = grains.drop_expired(upper + timedelta(days=kept) - timedelta(seconds=1))
    assert not [name for name in gone if name.startswith(table)]
    gone = grains.drop_expired(upper + timedelta(days=kept))
    assert len([name for name in gone if name.startswith(table)]) == 1


def test_a_row_finds_its_partition_to_the_last_second_of_a_day() -> None:
    grains.ensure_partitions(NOW)
    for minute in (NOW.replace(hour=0, minute=0), NOW.replace(minute=59), NOW + timedelta(days=1)):
        Snapshot.objects.create(module="m", captured_at=minute, state="ok")
    assert Snapshot.objects.count() == 3


@pytest.mark.parametrize(
    ("grain", "begins"), [(grains.MINUTES, "23:57"), (grains.TENS, "23:50"), (grains.HOURS, "23:00")]
)
def test_a_row_of_a_grain_begins_at_its_round_time(grain: grains.Grain, begins: str) -> None:
    assert f"{grain.bucket(NOW.replace(minute=57)):%H:%M}" == begins
