"""Tells of each attempt that a dead process left at work, as a failed one."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telemetry.attempts import read_slots
from telemetry.events import EVENT_KINDS, JOB_COLUMNS, InvalidEvent, Row
from telemetry.intake import count_drop
from telemetry.models import JobEvent


def rows_left(path: Path) -> list[Row] | None:
    """Return a failed attempt for each slot that a dead process left, or None while it lives.

    Whoever adopts the process's segments asks, when its own events are stored: an attempt whose event is
    there, recorded just before the process died, is known by its owner, id and start and not told again.
    """
    with taken(path) as file:
        if file is None:
            return None
        now = datetime.now(UTC)
        rows = [row for _, event in read_slots(file) if (row := lost_row(event, now))]
        return [row for row in rows if not is_stored(row)]


@contextmanager
def taken(path: Path) -> Iterator[int | None]:
    """Give the file opened and locked, or None where its process lives or another has it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        yield file if path.exists() else None
    finally:
        os.close(file)


def lost_row(event: Mapping[str, Any], now: datetime) -> Row | None:
    """Return the row of a killed attempt; when it died is not known, so it is dated when that was seen."""
    try:
        return EVENT_KINDS["job"].clean({**event, "success": False, "created_at": now}, now=now)
    except InvalidEvent as error:
        count_drop(error)
        return None


def is_stored(row: Row) -> bool:
    """Return whether an attempt's event is there already; its owner and start find it by their index."""
    known = dict(zip(JOB_COLUMNS, row, strict=True))
    same = {name: known[name] for name in ("user_id", "started_at", "job_id")}
    events = JobEvent.objects.filter(**same)
    return known["started_at"] is not None and events.filter(created_at__gte=known["started_at"]).exists()
