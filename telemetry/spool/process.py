"""What this process has of the spool: a writer and a shipper, made when first used, left behind by a fork."""

import atexit
import logging
import os
import threading
import time
from pathlib import Path
from typing import Final

from telemetry.events import Row
from telemetry.spool.shipper import Shipper
from telemetry.spool.writer import Writer

logger = logging.getLogger("telemetry")

EXIT_PATIENCE_S: Final = 5.0
RETRY_START_S: Final = 5.0


class Process:
    """One writer and one shipper; a forked child begins anew."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin with nothing open."""
        self.writer = Writer()
        self.shipper: Shipper | None = None
        self._starting = threading.RLock()
        self._is_starting = False
        self._start_again_at = 0.0

    def begin_in_child(self) -> None:
        """Leave the parent's files, locks and thread to the parent."""
        inherited = self.writer
        self.begin()
        inherited.forget()

    def serve(self, *, at_once: bool = False) -> Shipper | None:
        """Return the shipper, its thread started; None where no thread can start now.

        After a failure it is tried again only after a moment, or `at_once`.
        """
        with self._starting:
            if self.shipper is not None and self.shipper.thread.is_alive():
                return self.shipper
            # A signal handler may record while its own thread is just starting the shipper: one is enough.
            if self._is_starting or (time.monotonic() < self._start_again_at and not at_once):
                return None
            self._is_starting = True
            try:
                return self._started()
            finally:
                self._is_starting = False

    def _started(self) -> Shipper | None:
        shipper = Shipper(self.writer)
        try:
            shipper.start()
        except RuntimeError as error:
            # Nothing is lost: another process's shipper adopts the files when this one is gone.
            self._start_again_at = time.monotonic() + RETRY_START_S
            logger.warning("Events wait in the spool, since no thread can start: %s", error)
            return None
        self.shipper = shipper
        return shipper

    def append(self, kind: str, row: Row) -> None:
        """Keep a row; raises SpoolError."""
        self.writer.append(kind, row)
        if self.shipper is None:
            self.serve()

    def flush(self, timeout_s: float) -> bool:
        """Ship everything recorded until now; returns whether nothing of it is left."""
        if not self.writer.snapshot():
            return True
        shipper = self.serve(at_once=True)
        return shipper is not None and shipper.flush(timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Flush, stop the thread, let go of the files; the next event opens them again."""
        deadline = time.monotonic() + timeout_s
        is_done = self.flush(timeout_s)
        shipper, self.shipper = self.shipper, None
        self._start_again_at = 0.0
        if shipper is not None:
            shipper.stop(max(0.1, deadline - time.monotonic()))
            if (
                shipper.thread.is_alive()
            ):  # it may still read: leave the files to it, and to whoever adopts them
                return is_done
        self.writer.close()
        return is_done


process: Final = Process()
os.register_at_fork(after_in_child=process.begin_in_child)


def close_at_exit() -> None:
    """Ship what is left when the interpreter ends, within a bounded time."""
    process.close(EXIT_PATIENCE_S)


atexit.register(close_at_exit)


def append(kind: str, row: Row) -> None:
    """Keep a row made by the kind's `clean`: when this returns it survives kill -9. Raises SpoolError."""
    process.append(kind, row)


def serve() -> None:
    """Have this process ship what lies in the spool, also when it records nothing itself."""
    process.serve()


def flush(timeout_s: float) -> bool:
    """Ship everything this process recorded until now; returns whether nothing of it is left."""
    return process.flush(timeout_s)


def close(timeout_s: float) -> bool:
    """Flush and stop shipping, as a process does that ends without Python's own end (os._exit)."""
    return process.close(timeout_s)


def companion_path(ending: str) -> Path:
    """Return the path of a file beside this process's segments, under the same hold; raises SpoolError."""
    stem = process.writer.stem_path()
    return stem.with_name(stem.name + ending)
