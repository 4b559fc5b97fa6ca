"""Moves what a segment holds into the database: rows and the segment's offset in one transaction."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from django.db import DataError, IntegrityError, connection, transaction

from telemetry.ship import ship_encoded
from telemetry.spool.aside import aside_count, set_aside_bytes, set_aside_row
from telemetry.spool.frames import BadSegment, Chunk, Layout, parse

CHUNK_BYTES: Final = 1024 * 1024
# Files beyond which nothing more is set aside: the spool itself is bounded, and this is not counted there.
ASIDE_MOST: Final = 10_000

# The row is locked first: whoever else has the same segment waits here, and then finds the offset moved.
ADVANCE: Final = """
    INSERT INTO telemetry_spool_segments AS kept (segment, committed_bytes, events) VALUES (%s, %s, %s)
    ON CONFLICT (segment) DO UPDATE SET committed_bytes = excluded.committed_bytes,
        events = kept.events + excluded.events, updated_at = clock_timestamp()
    WHERE kept.committed_bytes = %s"""
COMMITTED: Final = "SELECT committed_bytes FROM telemetry_spool_segments WHERE segment = %s"


class OffsetMoved(Exception):  # noqa: N818 - reads as what happened
    """Another process shipped this segment meanwhile, or a COMMIT whose answer was lost took effect."""


class AsideFullError(OSError):
    """The database refuses so much that it is at fault, and not single events: they wait in the spool."""


class Source(Protocol):
    """A segment to read from; committed is None while only the database knows how far it came."""

    descriptor: int
    committed: int | None


@dataclass
class Shipped:
    """What one transaction moved."""

    events: int = 0
    refused: list[str] = field(default_factory=list)


def ship_chunk(source: Source, layout: Layout, end: int, *, is_last: bool) -> Shipped | None:
    """Ship the next megabyte before `end`, if there is any: all of it or, on an exception, nothing.

    Args:
        source: the segment. layout: what its first line says. end: where its durable bytes end.
        is_last: whether nothing will ever follow, so that a torn end is the end.

    Raises:
        django.db.Error: when the database is away or lacks the tables. OffsetMoved: ask again. OSError.
    """
    known = source.committed
    if known is None:
        known = source.committed = max(committed_bytes(layout.name), layout.start)
    if known >= end:
        return None
    data = os.pread(source.descriptor, min(CHUNK_BYTES, end - known), known)
    chunk = parse(data, is_last=is_last and known + len(data) >= end)
    if not chunk.length:
        return None
    source.committed = None  # until the answer to COMMIT is here nobody knows
    refused = store(layout, known, chunk)
    source.committed = known + chunk.length
    return Shipped(chunk.events - len(refused), refused)


def committed_bytes(name: str) -> int:
    """Return how far a segment is in the database."""
    with connection.cursor() as cursor:
        cursor.execute(COMMITTED, [name])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def store(layout: Layout, known: int, chunk: Chunk) -> list[str]:
    """Store a chunk and its segment's new offset in one transaction; return why single rows were refused.

    Raises AsideFullError where some are, and too much lies aside already: everything stays in the spool then.
    """
    if unnamed := chunk.rows.keys() - layout.columns.keys():
        raise BadSegment(f"its first line names no columns of {', '.join(sorted(unnamed))} events")
    with transaction.atomic():
        with connection.cursor() as cursor:
            base = 0 if known == layout.start else known
            cursor.execute(ADVANCE, [layout.name, known + chunk.length, chunk.events, base])
            if not cursor.rowcount:
                raise OffsetMoved(layout.name)
        refused = [reason for kind, rows in chunk.rows.items() for reason in store_rows(layout, kind, rows)]
        # Before the commit: a kill in between sets them aside twice under one name, and loses none.
        for place, garbage in chunk.garbage:
            set_aside_bytes(
                f"{layout.name}.at{known + place}", garbage, "no event can be read from these bytes"
            )
    return refused


def store_rows(layout: Layout, kind: str, rows: Sequence[bytes]) -> list[str]:
    """Copy rows of one kind; where the database refuses some, set those aside while there is room."""
    error = refusal(layout, kind, rows)
    if error is None:
        return []
    if aside_count() >= ASIDE_MOST:
        raise AsideFullError(f"{ASIDE_MOST:,} lie in spool/aside, and more are refused: {error}") from error
    return set_apart(layout, kind, rows, error)


def refusal(layout: Layout, kind: str, rows: Sequence[bytes]) -> DataError | IntegrityError | None:
    """Copy rows of one kind; returns why the database refuses them, and then stores none."""
    try:
        with transaction.atomic():
            ship_encoded(kind, layout.columns[kind], rows)
    except (DataError, IntegrityError) as error:
        return error
    return None


def set_apart(
    layout: Layout, kind: str, rows: Sequence[bytes], error: DataError | IntegrityError
) -> list[str]:
    """Find which of refused rows are at fault by halves, set those aside and store the others."""
    if len(rows) == 1:
        return [set_aside_row(layout, kind, rows[0], error)]
    half = len(rows) // 2
    return [
        reason
        for some in (rows[:half], rows[half:])
        if (fault := refusal(layout, kind, some)) is not None
        for reason in set_apart(layout, kind, some, fault)
    ]
