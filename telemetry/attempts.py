"""Remembers which attempts are at work, so that one whose process is killed is told of afterwards, once.

A file per process, named as its spool segments are, holds a slot per attempt at work: written when it begins,
emptied when its event is recorded. The process holds a lock on the file; where the lock is free and a slot is
not, the process died in the middle, and telemetry/lost.py tells of a failed attempt for it.
"""

import fcntl
import itertools
import os
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from telemetry import spool
from telemetry.drops import drops

SUFFIX: Final = ".open"
SLOT_BYTES: Final = 1024
CAUSE_AT: Final = 956
LENGTH_BYTES: Final = 4
TRY_AGAIN_S: Final = 5.0
LOST: Final = "WorkerLost"
MOMENTS: Final = ("queued_at", "started_at")
EMPTY: Final = bytes(LENGTH_BYTES)


class OpenAttempts:
    """The attempts at work in this process. Nothing here raises into the host."""

    _file: int | None = None
    _path: Path | None = None

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew; after a fork this lets go of the parent's file, which stays the parent's."""
        if self._file is not None:
            os.close(self._file)
        self._lock = threading.RLock()
        self._failed_at = -TRY_AGAIN_S
        self._forget()

    def _forget(self) -> None:
        self._file = self._path = None
        self._free: list[int] = []
        self._next = itertools.count()

    def begin(self, event: Mapping[str, Any]) -> int | None:
        """Note an attempt (the columns known at its start) and return its slot, None where that failed."""
        try:
            page = slot_bytes(event)
            file = self._file if self._file is not None else self._open()
            return None if file is None else self._fill(file, page)
        except Exception as error:
            drops.warn("attempt not noted", f"it would not be seen if killed: {error}")
            return None

    def end(self, slot: int | None) -> None:
        """Empty a slot whose attempt is recorded."""
        if slot is None or self._file is None:
            return
        try:
            os.pwrite(self._file, EMPTY, slot * SLOT_BYTES)
        except OSError as error:
            drops.warn("attempt not emptied", str(error))
        else:
            self._free.append(slot)

    def cause(self, slot: int | None) -> str:
        """Return why a supervisor said it is ending this attempt, '' where none did."""
        if slot is None or self._file is None:
            return ""
        return cause_in(os.pread(self._file, SLOT_BYTES, slot * SLOT_BYTES))

    def close(self) -> None:
        """Remove the file where nothing is at work any more; the next attempt makes a new one."""
        with self._lock:
            if self._file is None or self._path is None or any(read_slots(self._file)):
                return
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._forget()

    def _fill(self, file: int, page: bytes) -> int:
        try:
            slot = self._free.pop()
        except IndexError:
            slot = next(self._next)
        try:
            os.pwrite(file, page, slot * SLOT_BYTES)
        except OSError:
            self._free.append(slot)
            raise
        return slot

    def _open(self) -> int | None:
        with self._lock:
            missing = self._file is None
            if missing and time.monotonic() - self._failed_at >= TRY_AGAIN_S:
                try:
                    path = spool.companion_path(SUFFIX)
                    self._file, self._path = locked_file(path), path
                except (OSError, spool.SpoolError):
                    self._failed_at = time.monotonic()
                    raise
            return self._file


open_attempts: Final = OpenAttempts()
os.register_at_fork(after_in_child=open_attempts.reset)


def folder() -> Path:
    """Return the folder of this machine's spool."""
    return spool.spool_folder()


def locked_file(path: Path) -> int:
    """Make the file with its lock already held, so that nobody ever sees it without one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.rename(path)
    except OSError:
        os.close(file)
        draft.unlink(missing_ok=True)
        raise
    return file


def slot_bytes(event: Mapping[str, Any]) -> bytes:
    """Return a slot: length, JSON, at its end room for a cause. Raises ValueError for what is too long."""
    text = orjson.dumps(event)
    if len(text) > CAUSE_AT - LENGTH_BYTES:
        raise ValueError(f"{len(text)} bytes of names and ids are too many")
    return (len(text).to_bytes(LENGTH_BYTES, "big") + text).ljust(SLOT_BYTES, b"\0")


def explain(job_id: str, cause: str) -> bool:
    """Say why an attempt is about to be killed, in its own slot; returns whether it was found.

    For a supervisor that kills its child: it knows the cause, the slot knows everything else.
    """
    for path in folder().glob(f"*{SUFFIX}"):
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            for slot, event in read_slots(file):
                if event.get("job_id") == job_id:
                    text = cause.encode()[: SLOT_BYTES - CAUSE_AT]
                    os.pwrite(file, text, slot * SLOT_BYTES + CAUSE_AT)
                    return True
        finally:
            os.close(file)
    return False


def read_slots(file: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Return the slots in use, each with what is known of its attempt; garbage is left out."""
    for slot in itertools.count():
        page = os.pread(file, SLOT_BYTES, slot * SLOT_BYTES)
        if not page:
            return
        length = int.from_bytes(page[:LENGTH_BYTES], "big")
        if not length:
            continue
        try:
            event = orjson.loads(page[LENGTH_BYTES : LENGTH_BYTES + length])
            moments = {name: datetime.fromisoformat(event[name]) for name in MOMENTS if event.get(name)}
        except (ValueError, TypeError, AttributeError):
            continue
        yield slot, {**event, **moments, "error_code": cause_in(page) or LOST}


def cause_in(page: bytes) -> str:
    return page[CAUSE_AT:].rstrip(b"\0").decode(errors="replace")
