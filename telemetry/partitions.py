"""Daily partitions of the event tables: made ahead and on demand, dropped by retention."""

import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.utils import OperationalError

from telemetry.events import EVENT_KINDS

logger = logging.getLogger(__name__)

AHEAD_DAYS: Final = 7
DAILY_FOR_DAYS: Final = 100
MAKING_LOCK: Final = 0x68705F70617274  # "hp_part": one maker at a time, whatever the table
DROP_PATIENCE: Final = "200ms"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The days one partition holds: one day, or a calendar month."""

    first: date
    after: date

    @classmethod
    def of_day(cls, day: date) -> "Span":
        return cls(day, day + timedelta(days=1))

    @classmethod
    def of_month(cls, day: date) -> "Span":
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=32)).replace(day=1))

    @classmethod
    def named(cls, table: str, partition: str) -> "Span | None":
        """Return the span that a partition's name tells, or None for a name that is not ours."""
        digits = partition.removeprefix(f"{table}_")
        try:
            if len(digits) == 8:
                return cls.of_day(date.fromisoformat(digits))
            return cls.of_month(date.fromisoformat(f"{digits}01"))
        except ValueError:
            return None

    @property
    def suffix(self) -> str:
        return f"{self.first:%Y%m%d}" if self == Span.of_day(self.first) else f"{self.first:%Y%m}"

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first instant inside and the first instant after, UTC."""
        return midnight(self.first), midnight(self.after)

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.after


def midnight(day: date) -> datetime:
    """Return the instant at which a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class KnownDays:
    """The days this process has seen a committed partition for; only ever a shortcut."""

    def __init__(self) -> None:
        self.forget()

    def _key(self, table: str) -> tuple[object, str]:
        return connection.settings_dict["NAME"], table

    def missing(self, table: str, days: Iterable[date]) -> set[date]:
        return set(days) - self._days.get(self._key(table), set())

    def add(self, table: str, days: Iterable[date]) -> None:
        with self._lock:
            known = self._days.get(self._key(table), set())
            self._days[self._key(table)] = known | set(days)

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._days: dict[tuple[object, str], set[date]] = {}


known_days: Final = KnownDays()
os.register_at_fork(after_in_child=known_days.forget)


def ensure_partitions(kind: str, days: Iterable[date], *, now: datetime | None = None) -> None:
    """Make the partitions that events of these UTC days need, where there are none yet.

    Safe between processes, inside and outside a transaction; in one, the partitions come with its commit.
    A day up to 100 days old gets its own partition; a whole month further back that has none gets one.
    """
    table = EVENT_KINDS[kind].table
    wanted = known_days.missing(table, days)
    if not wanted:
        return
    if not covered(wanted, partition_spans(table)):
        make_partitions(table, wanted, (now or datetime.now(UTC)).date())
    remember = partial(known_days.add, table, wanted)
    if connection.in_atomic_block:
        transaction.on_commit(remember)
    else:
        remember()


def covered(days: Iterable[date], spans: Iterable[Span]) -> bool:
    """Return whether every day lies in one of the spans."""
    spans = list(spans)
    return all(any(day in span for span in spans) for day in days)


def partition_spans(table: str) -> list[Span]:
    """Return the spans of a table's partitions, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass",
            [table],
        )
        names = [name for (name,) in cursor.fetchall()]
    return sorted(span for name in names if (span := Span.named(table, name)))


def make_partitions(table: str, days: Iterable[date], today: date) -> None:
    """Make what is missing, one process at a time; what another made meanwhile is seen and left.

    CREATE TABLE then ATTACH, so that the event table is locked against other makers (SHARE UPDATE EXCLUSIVE),
    never against readers and writers. The new table is empty: there is nothing for ATTACH to check.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAKING_LOCK])
        spans = partition_spans(table)
        for day in sorted(days):
            if covered([day], spans):
                continue
            span = span_for(day, spans, today)
            spans.append(span)
            name = f"{table}_{span.suffix}"
            cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
            lower, upper = span.bounds
            cursor.execute(
                f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{lower}') TO ('{upper}')"
            )


def span_for(day: date, spans: Iterable[Span], today: date) -> Span:
    """Return the span a new partition for this day should have."""
    month = Span.of_month(day)
    far_back = month.after <= today - timedelta(days=DAILY_FOR_DAYS)
    taken = any(span.first < month.after and month.first < span.after for span in spans)
    return month if far_back and not taken else Span.of_day(day)


def make_ahead(now: datetime) -> None:
    """Make the partitions from yesterday to a week ahead, for both kinds."""
    days = [now.date() + timedelta(days=offset) for offset in range(-1, AHEAD_DAYS + 1)]
    for kind in EVENT_KINDS:
        ensure_partitions(kind, days, now=now)


def keep_partitions(now: datetime) -> list[str]:
    """Make the partitions of the days ahead and drop the expired ones; returns the names of those dropped."""
    make_ahead(now)
    return drop_expired(now)


def drop_expired(now: datetime) -> list[str]:
    """Drop every partition whose days and whose arrivals both lie outside the retention; returns their names.

    Imported rows count from their import (received_at). Rows that are not folded yet are never dropped.
    """
    cutoff = now - timedelta(days=settings.TELEMETRY_RETENTION_DAYS)
    dropped = []
    for kind in EVENT_KINDS.values():
        for span in partition_spans(kind.table):
            if span.bounds[1] <= cutoff and dropped_if_unneeded(kind.name, kind.table, span, cutoff):
                dropped.append(f"{kind.table}_{span.suffix}")
    if dropped:
        known_days.forget()
    return dropped


def dropped_if_unneeded(kind: str, table: str, span: Span, cutoff: datetime) -> bool:
    """Drop one partition, unless it is still needed or somebody is at it; returns whether it went.

    The check, the record and the drop are one transaction. SHARE on the partition keeps its rows as checked;
    dropping locks the event table for a moment, and gives up at once, until the next round, rather than hold
    up writers. (DETACH CONCURRENTLY would not lock it, but rows that came after the check would be out of the
    fold's sight, and their mark taken for counted.)
    """
    name = f"{table}_{span.suffix}"
    lower_at, upper_at = span.bounds
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{DROP_PATIENCE}'")
            cursor.execute(f"LOCK TABLE {name} IN SHARE MODE")
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {name} WHERE received_at > %s)"
                " OR EXISTS (SELECT FROM telemetry_shipments"
                " WHERE kind = %s AND first_created_at < %s AND last_created_at >= %s)",
                [cutoff, kind, upper_at, lower_at],
            )
            if cursor.fetchone() != (False,):
                return False
            cursor.execute(
                "INSERT INTO telemetry_dropped (table_name, lower_at, upper_at) VALUES (%s, %s, %s)",
                [table, lower_at, upper_at],
            )
            cursor.execute(f"DROP TABLE {name}")
            return True
    except OperationalError as error:
        logger.info("The partition %s is in use and stays until the next round: %s", name, error)
        return False
