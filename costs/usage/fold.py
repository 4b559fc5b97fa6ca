"""Adds raw rows to the usage partials in small steps, led by the marks that each storing transaction left."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.days import local_today
from costs.usage.lock import WAIT_S, busy_on_lock_timeout, hold_partials, mark_dirty, settle_own_rows
from costs.usage.statements import KINDS, UsageKind, fold_statement

CHUNK_EVENTS = 200_000
CHUNK_MARKS = 20_000
# Rows further apart than this are read by two statements: a late import beside the live trickle.
SPAN_GAP = timedelta(hours=6)
NARROW_SPAN = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)

EARLIEST = datetime.min.replace(tzinfo=UTC)

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Mark:
    """Rows of one kind that one transaction stored and the partials lack."""

    shipment: int
    kind: str
    first_at: datetime
    last_at: datetime


def fold_pending(
    *, max_events: int = CHUNK_EVENTS, wait_s: float = WAIT_S, leaving: Span | None = None
) -> int:
    """Add every raw row that the partials lack, in transactions of about max_events rows; return how many.

    Args:
        max_events: rows after which a transaction ends; rows that one transaction stored stay together.
        wait_s: seconds to wait for another folder; 0 gives up at once.
        leaving: a span of UTC instants; marks wholly inside it are left to a rebuild that reads it anyway.

    Raises:
        FoldBusy: when another process folds for longer than wait_s.
        ZoneChanged: when COST_TIMEZONE is not the zone of the partials.
    """
    chosen = Choice(newest_mark(), *(leaving or (None, None)))
    folded = 0
    while is_any_left(chosen):
        folded += fold_chunk(max_events, wait_s, chosen)
    return folded


@dataclass(frozen=True)
class Choice:
    """Which marks to fold: up to the newest there was, so that a busy ingest cannot keep it from ending."""

    newest: int
    lower: datetime | None
    upper: datetime | None

    @property
    def where(self) -> str:
        """The condition; its parameters are the fields."""
        outside = "NOT (first_created_at >= %(lower)s AND last_created_at < %(upper)s)"
        return f"shipment <= %(newest)s AND {outside if self.lower else 'true'}"


def newest_mark() -> int:
    """Return the newest shipment that waits to be folded."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(shipment), 0) FROM telemetry_shipments")
        return int(cursor.fetchone()[0])


def is_any_left(chosen: Choice) -> bool:
    """Say whether a chosen mark waits to be folded."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM telemetry_shipments WHERE {chosen.where})", vars(chosen))
        return bool(cursor.fetchone()[0])


def fold_chunk(max_events: int, wait_s: float, chosen: Choice) -> int:
    """Fold the oldest marks in one transaction and return the rows counted."""
    with busy_on_lock_timeout(), transaction.atomic(), connection.cursor() as cursor:
        tz = hold_partials(cursor, wait_s=wait_s)
        rows: Counter[date] = Counter()
        over = days_over(cursor)
        marks = take_marks(cursor, max_events, chosen)
        for span in spans(marks):
            rows.update(fold_span(cursor, span, tz.key, over))
        settle_own_rows(cursor, [mark.shipment for mark in marks])
        mark_dirty(cursor, sorted(rows), due_from=over.today)
        return rows.total()


def take_marks(cursor: CursorWrapper, max_events: int, chosen: Choice) -> list[Mark]:
    """Delete the oldest marks, as many as make up max_events rows but at least one, and return them."""
    cursor.execute(
        f"""
        DELETE FROM telemetry_shipments AS mark USING (
            SELECT shipment, kind, sum(events) OVER (ORDER BY shipment, kind) - events AS events_before
            FROM (
                SELECT shipment, kind, events FROM telemetry_shipments WHERE {chosen.where}
                ORDER BY shipment, kind LIMIT {CHUNK_MARKS}
            ) AS oldest
        ) AS queue
        WHERE mark.shipment = queue.shipment AND mark.kind = queue.kind AND events_before < %(max_events)s
        RETURNING mark.shipment, mark.kind, first_created_at, last_created_at
        """,
        {"max_events": max_events, **vars(chosen)},
    )
    return [Mark(*row) for row in cursor.fetchall()]


def spans(marks: Iterable[Mark]) -> Iterator[list[Mark]]:
    """Group marks of one kind whose rows lie close in time: one statement reads each neighbourhood."""
    group: list[Mark] = []
    reach = EARLIEST
    for mark in sorted(marks, key=lambda mark: (mark.kind, mark.first_at)):
        if group and not is_near(mark, group[0].kind, reach):
            yield group
            group, reach = [], EARLIEST
        reach = max(reach, mark.last_at)
        group.append(mark)
    if group:
        yield group


def is_near(mark: Mark, kind: str, reach: datetime) -> bool:
    """Say whether a mark belongs to a neighbourhood of one kind that reaches to a time."""
    return mark.kind == kind and mark.first_at <= reach + SPAN_GAP


@dataclass(frozen=True)
class Over:
    """Which days get their usage by hour and user at once: those before today whose rows are not due anyway.

    Many users make it as many rows as there are events: today it waits until the day is over.
    """

    today: date
    due: list[date]

    def holds(self, day: date | None) -> bool:
        """Say whether a day is one of them; without a day (several, not known) that it may be."""
        return day is None or (day < self.today and day not in self.due)


def days_over(cursor: CursorWrapper) -> Over:
    """Return which days are over; to be asked under the lock of the partials."""
    cursor.execute("SELECT date FROM cost_days WHERE user_hours_due_at IS NOT NULL")
    return Over(local_today(datetime.now(UTC)), [day for (day,) in cursor.fetchall()])


@dataclass(frozen=True)
class Piece:
    """A span of instants, both inclusive; hour is the one local hour (as day and instant) that holds it."""

    first: datetime
    last: datetime
    hour: tuple[date, datetime] | None


def fold_span(cursor: CursorWrapper, marks: list[Mark], zone: str, over: Over) -> dict[date, int]:
    """Add the rows of neighbouring marks of one kind; return the days touched with the rows counted."""
    shipments = [mark.shipment for mark in marks]
    values = {
        "tz": zone,
        "lowest": min(shipments),
        "highest": max(shipments),
        "shipments": shipments,
        "today": over.today,
        "due": over.due,
    }
    first, last = min(mark.first_at for mark in marks), max(mark.last_at for mark in marks)
    rows: Counter[date] = Counter()
    for piece in pieces(cursor, first, last, zone):
        rows.update(fold_piece(cursor, KINDS[marks[0].kind], piece, values, over))
    return rows


def pieces(cursor: CursorWrapper, first: datetime, last: datetime, zone: str) -> list[Piece]:
    """Cut a short span where its local hour ends; leave one that is longer, or odd, as it is."""
    if last - first > NARROW_SPAN:
        return [Piece(first, last, None)]
    hour, next_hour = local_hours(cursor, [first, last], zone)
    if hour == next_hour:
        return [Piece(first, last, hour)]
    start = next_hour[1]
    end = start - INSTANT
    # Where the clock changes by half an hour in between, hours overlap.
    if local_hours(cursor, [end, start], zone) != [hour, next_hour]:
        return [Piece(first, last, None)]
    return [Piece(first, end, hour), Piece(start, last, next_hour)]


def local_hours(cursor: CursorWrapper, moments: list[datetime], zone: str) -> list[tuple[date, datetime]]:
    """Return the local day and the beginning of the local hour of instants, as the statements count them."""
    cursor.execute(
        "SELECT (moment AT TIME ZONE %(tz)s)::date, date_trunc('hour', moment, %(tz)s)"
        " FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS given (moment, place) ORDER BY place",
        {"tz": zone, "moments": moments},
    )
    return list(cursor.fetchall())


def fold_piece(
    cursor: CursorWrapper, kind: UsageKind, piece: Piece, values: dict[str, Any], over: Over
) -> dict[date, int]:
    """Add the rows of one piece; return the days touched with the rows counted."""
    day, hour = piece.hour or (None, None)
    statement = fold_statement(
        kind,
        by_time=piece.last - piece.first <= NARROW_SPAN,
        in_one_hour=piece.hour is not None,
        by_user_hours=over.holds(day),
    )
    cursor.execute(statement, {**values, "first": piece.first, "last": piece.last, "day": day, "hour": hour})
    return dict(cursor.fetchall())
