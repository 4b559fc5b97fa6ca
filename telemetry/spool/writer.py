"""Appends events to this process's own segments: one write into the page cache an event."""

import errno
import itertools
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings

from telemetry.drops import dropped_events
from telemetry.encoding import encoders
from telemetry.events import Row
from telemetry.spool.folder import STATUS, Hold, made_folder, new_hold, spool_folder, used_bytes
from telemetry.spool.frames import Layout, first_line, framed, read_first_line

logger = logging.getLogger("telemetry")

ROLL_BYTES: Final = 4 * 1024 * 1024
# Each file that waits holds a descriptor of the host: the more wait, the larger the next, up to 64 MiB.
DOUBLED_EACH: Final = 16
DOUBLED_MOST: Final = 4
LOOK_EVERY_BYTES: Final = 256 * 1024
LONGEST_PAUSE_S: Final = 1.0
MB: Final = 1_000_000


class SpoolError(Exception):
    """An event could not be kept; `reason` is one of few words to count it by."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Segment:
    """One file of this process: durable up to `size`, shipped up to `committed` (None: ask)."""

    def __init__(self, name: str, path: Path, *, most_bytes: int) -> None:
        self.name = name
        self.path = path
        line = first_line(name)
        self.layout: Layout = read_first_line(line)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self.descriptor = os.open(path, flags, 0o600)
        try:
            write_whole(self.descriptor, line)
        except BaseException:
            self.discard()
            raise
        self.most_bytes = most_bytes
        self.start = self.size = len(line)
        self.committed: int | None = self.start
        self.look_at = self.size + LOOK_EVERY_BYTES
        self.is_closed = False

    def is_there(self) -> bool:
        """Say whether the file is still where it was made."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), os.stat(self.path))
        except OSError:
            return False

    def discard(self) -> None:
        """Remove the file, if it is still the one that was made here, and close it."""
        with suppress(OSError):
            if self.is_there():
                self.path.unlink()
        with suppress(OSError):
            os.close(self.descriptor)


class Writer:
    """This process's end of the spool. Every method is safe between threads."""

    def __init__(self) -> None:
        # A signal handler may record in the middle of a record: the same thread must not wait for itself.
        self.lock = threading.RLock()
        self.stem = ""
        self.hold: Hold | None = None
        self.segments: list[Segment] = []
        self.recorded = 0
        self._current: Segment | None = None
        self._encoders = encoders()
        self._numbers = itertools.count(1)
        self._failure: SpoolError | None = None
        self._retry_at = 0.0
        self._pause_s = 0.0

    def append(self, kind: str, row: Row) -> None:
        """Keep a cleaned row: when this returns it survives kill -9. Raises SpoolError."""
        with self.lock:
            number, encode = self._encoders[kind]
            frame = framed(number, encode(row))
            length = len(frame)
            segment = self._current
            if segment is None or segment.size >= segment.look_at:
                segment = self._room(segment)
            try:
                write_whole(segment.descriptor, frame)
            except BaseException as error:
                if not isinstance(error, OSError) or error.errno is None:  # no answer of the system's
                    self._make_up(segment, length)
                    raise
                segment = self._write_again(segment, frame, error)
            # No call within the addition: a signal handler would run there, and what it added would be lost.
            segment.size += length
            self.recorded += 1

    def stem_path(self) -> Path:
        """Return the path, without ending, of the files under this process's hold; raises SpoolError."""
        with self.lock:
            try:
                return self._held() / self.stem
            except OSError as error:
                raise SpoolError(f"spool unusable: {reason_of(error)}", str(error)) from error

    def _room(self, segment: Segment | None) -> Segment:
        """Return a segment that has room, unless all files together take too much space."""
        now = time.monotonic()
        if segment is None and self._failure and now < self._retry_at:
            raise self._failure
        try:
            self._check_limit()
            if segment is None or segment.size >= segment.most_bytes:
                segment = self._opened()
        except SpoolError as error:
            self._give_up(error)
            raise
        segment.look_at = min(segment.size + LOOK_EVERY_BYTES, max(segment.most_bytes, segment.size))
        self._failure, self._pause_s = None, 0.0
        return segment

    def _check_limit(self) -> None:
        folder = self.hold.path.parent if self.hold else spool_folder()
        most = settings.TELEMETRY_SPOOL_MAX_MB * MB
        if used_bytes(folder) >= most:
            raise SpoolError("spool full", f"{folder} holds {settings.TELEMETRY_SPOOL_MAX_MB} MB already")

    def _opened(self) -> Segment:
        """Begin the next segment, under a new stem when the folder is not the one that was known."""
        self.finish_current()
        try:
            folder = self._held()
            name = f"{self.stem}.{next(self._numbers)}"
            most_bytes = ROLL_BYTES << min(len(self.segments) // DOUBLED_EACH, DOUBLED_MOST)
            segment = Segment(name, folder / f"{name}.seg", most_bytes=most_bytes)
        except OSError as error:
            raise SpoolError(f"spool unusable: {reason_of(error)}", str(error)) from error
        self.segments.append(segment)
        # A signal handler may have begun one meanwhile; no call lies between looking and setting.
        self._current, other = segment, self._current
        if other:
            other.is_closed = True
        return segment

    def _held(self) -> Path:
        """Return the folder, this process's stem in it held; raises OSError."""
        folder = made_folder()
        known = self.hold
        if known is None or not known.is_there() or known.path.parent != folder:
            stem, hold = new_hold(folder)
            if self.hold is not known:  # a signal handler took one meanwhile, and wrote under it
                hold.let_go(remove=True)
                return folder
            self.stem, self.hold = stem, hold
            if known:
                known.forget()
        return folder

    def finish_current(self) -> None:
        """Let the current segment be; the next event begins another. The lock must be held."""
        segment, self._current = self._current, None
        if segment:
            segment.is_closed = True

    def _write_again(self, segment: Segment, frame: bytes, error: OSError) -> Segment:
        """Undo what a failed write left; where only this file may not grow, use another."""
        try:
            os.ftruncate(segment.descriptor, segment.size)
        except OSError:
            self.finish_current()  # what the write left is behind `size`, where a reader takes it for torn
        if error.errno == errno.EFBIG and segment.size > segment.start:
            try:
                segment = self._opened()
                write_whole(segment.descriptor, frame)
            except (OSError, SpoolError) as again:
                logger.debug("Another segment did not take the event either: %s", again)
                if self._current:
                    os.ftruncate(self._current.descriptor, self._current.size)
            else:
                return segment
        failure = SpoolError(f"spool unusable: {reason_of(error)}", str(error))
        self._give_up(failure)
        raise failure from error

    def _make_up(self, segment: Segment, length: int) -> None:
        """Count the event whose write was done when a signal handler raised (a soft time limit does)."""
        if os.fstat(segment.descriptor).st_size >= segment.size + length:
            segment.size += length
            self.recorded += 1

    def _give_up(self, failure: SpoolError) -> None:
        """Refuse events for a moment, a longer one each time, so that a full disk costs the host nothing."""
        self.finish_current()
        self._pause_s = min(max(2 * self._pause_s, 0.05), LONGEST_PAUSE_S)
        self._failure, self._retry_at = failure, time.monotonic() + self._pause_s

    def check_place(self) -> None:
        """Leave files that are no longer in the folder, as when somebody removed it."""
        with self.lock:
            current = self._current
            if not current or (current.is_there() and self.hold and self.hold.is_there()):
                return
            self.finish_current()
        # Not under the lock: a host's log handler may record, and then each would wait for the other.
        logger.warning("The spool's files of this process are gone from %s.", current.path.parent)

    def snapshot(self) -> list[tuple[Segment, int]]:
        """Return the segments with what is durable of each, oldest first."""
        with self.lock:
            return [(segment, segment.size) for segment in self.segments]

    def drop_shipped(self, *, also_current: bool = False) -> None:
        """Remove the files whose events are all in the database."""
        with self.lock:
            if also_current:
                self.finish_current()
            done = [one for one in self.segments if one.is_closed and one.committed == one.size]
            self.segments = [one for one in self.segments if one not in done]
        for segment in done:
            segment.discard()

    def close(self) -> None:
        """Let go of everything; what is not shipped stays in the folder for whoever adopts it."""
        self.drop_shipped(also_current=True)
        with self.lock:
            if self.hold:
                with suppress(OSError):
                    if not self.segments and not dropped_events():
                        self.hold.path.with_suffix(STATUS).unlink(missing_ok=True)
                self.hold.let_go(remove=not self.segments)
                self.hold = None
            self.forget()
            self._failure = None

    def forget(self) -> None:
        """Close this process's copies of the descriptors, as a forked child does; the files stay."""
        for segment in self.segments:
            with suppress(OSError):
                os.close(segment.descriptor)
        self.segments, self._current, self.stem, self.recorded = [], None, "", 0
        if self.hold:
            self.hold.forget()
            self.hold = None


def write_whole(descriptor: int, data: bytes) -> None:
    """Append all of the data; raises OSError when there is no room, maybe after a part of it."""
    written = os.write(descriptor, data)
    while written < len(data):  # the next write says why the first one stopped
        written += os.write(descriptor, data[written:])


def reason_of(error: OSError) -> str:
    """Return what is wrong with a folder or a disk, in few words that are the same every time."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
