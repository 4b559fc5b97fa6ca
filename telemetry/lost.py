"""Stores a failed attempt for each one that a dead process left at work."""

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from telemetry.attempts import SUFFIX, folder, read_slots
from telemetry.drops import drops
from telemetry.events import EVENT_KINDS, JOB_COLUMNS, InvalidEvent, Row
from telemetry.intake import count_drop
from telemetry.models import JobEvent
from telemetry.ship import ship

LOOK_EVERY_S: Final = 2.0


def adopt(found: Path | None = None) -> int:
    """Store a failed attempt for each slot that a dead process left; returns how many, 0 while others adopt.

    The lock makes one adopter of a file at a time. What was stored already, by the process itself just
    before it died or by an adopter that died before it removed the file, is known by its owner, id and start
    and not stored again. Call it when the dead process's own events are stored. Raises django.db.Error.
    """
    stored = 0
    for path in (found or folder()).glob(f"*{SUFFIX}"):
        with taken(path) as file:
            if file is not None:
                stored += store_lost([event for _, event in read_slots(file)])
                path.unlink(missing_ok=True)
    return stored


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


def store_lost(events: Sequence[Mapping[str, Any]]) -> int:
    """Store those of the attempts that are not stored yet, all in one transaction; returns how many."""
    now = datetime.now(UTC)
    rows = [row for event in events if (row := lost_row(event, now))]
    with transaction.atomic():
        return ship("job", [row for row in rows if not is_stored(row)])


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


class Adopter:
    """A thread that looks for what dead processes left, every few seconds while its process lives."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def start(self) -> None:
        """Begin to look, unless this process does already."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="telemetry-adopter", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread, waiting for what it is storing."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        self.reset()

    def _run(self) -> None:
        over = self._over
        while not over.is_set():
            try:
                adopt()
            except Exception as error:
                drops.warn("attempts of dead processes wait to be stored", f"{type(error).__name__}: {error}")
            finally:
                connection.close()
            over.wait(LOOK_EVERY_S)


adopter: Final = Adopter()
os.register_at_fork(after_in_child=adopter.reset)
