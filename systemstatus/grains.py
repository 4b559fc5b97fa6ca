"""The grains in which snapshots are kept: their tables, partitions made ahead, and those dropped in time."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from django.db import OperationalError, connection, transaction

from systemstatus.models import Hour, Seen, Snapshot, TenMinutes

logger = logging.getLogger(__name__)

MAKING_LOCK: Final = int.from_bytes(b"hp grain")
AHEAD: Final = timedelta(days=2)


@dataclass(frozen=True)
class Grain:
    """One table of snapshots: the minutes a row stands for, how long it is kept, what a partition holds."""

    model: type[Seen]
    minutes: int
    kept: timedelta
    holds: Literal["day", "week", "month"]

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def span(self, at: datetime) -> tuple[datetime, datetime]:
        """Return the first instant of the partition that holds an instant, and the first after it."""
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.holds == "day":
            return day, day + timedelta(days=1)
        if self.holds == "week":
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=7)
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)

    def bucket(self, at: datetime) -> datetime:
        """Return the beginning of the span that one row stands for."""
        minute = at.replace(second=0, microsecond=0)
        return minute - timedelta(minutes=(minute.hour * 60 + minute.minute) % self.minutes)


GRAINS: Final = (
    Grain(Snapshot, 1, timedelta(hours=48), "day"),
    Grain(TenMinutes, 10, timedelta(days=30), "week"),
    Grain(Hour, 60, timedelta(days=400), "month"),
)
MINUTES, TENS, HOURS = GRAINS


def ensure_partitions(now: datetime) -> None:
    """Make the partitions that snapshots of now and the two days ahead need, where there are none yet."""
    for grain in GRAINS:
        missing = list(missing_spans(grain, now))
        if missing:
            make(grain, missing)


def missing_spans(grain: Grain, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the spans without a partition, from now to two days ahead."""
    there = {lower for _, lower, _ in partitions(grain)}
    at = now
    while True:
        lower, upper = grain.span(at)
        if lower not in there:
            yield lower, upper
        if upper > now + AHEAD:
            return
        at = upper


def partitions(grain: Grain) -> list[tuple[str, datetime, datetime]]:
    """Return name, first instant and first instant after of each partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass",
            [grain.table],
        )
        names = sorted(name for (name,) in cursor.fetchall())
    firsts = [datetime.strptime(name.rpartition("_")[2], "%Y%m%d").replace(tzinfo=UTC) for name in names]
    return [(name, *grain.span(first)) for name, first in zip(names, firsts, strict=True)]


def make(grain: Grain, spans: list[tuple[datetime, datetime]]) -> None:
    """Make partitions, one process at a time; what another made meanwhile is left.

    CREATE TABLE then ATTACH, which blocks other makers but neither readers nor writers.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAKING_LOCK])
        there = {lower for _, lower, _ in partitions(grain)}
        for lower, upper in spans:
            if lower in there:
                continue
            name = f"{grain.table}_{lower:%Y%m%d}"
            cursor.execute(f"CREATE TABLE {name} (LIKE {grain.table} INCLUDING ALL)")
            cursor.execute(
                f"ALTER TABLE {grain.table} ATTACH PARTITION {name} FOR VALUES"
                f" FROM ('{lower.isoformat()}') TO ('{upper.isoformat()}')"
            )


def drop_expired(now: datetime) -> list[str]:
    """Drop each partition whose every row is past its time; returns the names.

    One that somebody reads or writes for longer than a moment stays until the next time.
    """
    expired = [name for grain in GRAINS for name, _, upper in partitions(grain) if upper <= now - grain.kept]
    return [name for name in expired if dropped(name)]


def dropped(name: str) -> bool:
    """Drop one partition, unless it is in use."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            cursor.execute(f"DROP TABLE {name}")
    except OperationalError as error:
        logger.info("The partition %s is in use and stays until the next time: %s", name, error)
        return False
    return True
