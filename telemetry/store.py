"""Stores single events durably, apart from whatever transaction their host is in.

One thread per process holds the one connection for it. The host's own connection, its transaction and its
rollback are out of reach there, callers in asyncio are as welcome as threads, and what many callers wait
for at once goes in one transaction.
"""

import asyncio
import os
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from django.db import DataError, IntegrityError, connection

from telemetry.events import EVENT_KINDS, Row
from telemetry.ship import ship

PATIENCE_S: Final = 10.0
IDLE_S: Final = 5.0
BATCH_MOST: Final = 500

Stored = Future[None]
Waiting = tuple[str, Row, Stored]


class Writer:
    """A queue and the thread that empties it; the thread ends when idle and comes back when needed."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, kind: str, row: Row) -> Stored:
        """Hand over a cleaned row; the future is done when the row is durable, or holds why it is not."""
        stored = Stored()
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="telemetry-writer", daemon=True)
                thread.start()  # where no thread can start, this raises, and the next event tries again
                self._thread = thread
            self._queue.put((kind, row, stored))
        return stored

    def stop(self, timeout_s: float | None) -> bool:
        """Wait until the thread has ended, its queue empty and its connection closed; says whether it has."""
        thread = self._thread
        if thread is None:
            return True
        self._queue.put(("", (), Stored()))
        thread.join(timeout_s)
        return not thread.is_alive()

    def _run(self) -> None:
        try:
            while (batch := self._next_batch()) or not self._retired():
                store_batch(batch)
        finally:
            connection.close()

    def _next_batch(self) -> list[Waiting]:
        """Return what waits and is still wanted; after a while without any event, nothing."""
        try:
            batch = [self._queue.get(timeout=IDLE_S)]
        except queue.Empty:
            return []
        while len(batch) < BATCH_MOST and not self._queue.empty():
            batch.append(self._queue.get())
        return [waiting for waiting in batch if waiting[0] and waiting[2].set_running_or_notify_cancel()]

    def _retired(self) -> bool:
        """Give up the thread's place unless an event came in meanwhile."""
        with self._lock:
            if self._queue.empty():
                self._thread = None
            return self._thread is None


def store_batch(batch: Sequence[Waiting]) -> None:
    """Store events of both kinds and tell everybody who waits for one."""
    connection.close_if_unusable_or_obsolete()
    for kind in EVENT_KINDS:
        if waiting := [entry for entry in batch if entry[0] == kind]:
            store_together(kind, waiting)


def store_together(kind: str, waiting: Sequence[Waiting]) -> None:
    """Store events in one transaction; where one of them is at fault, each in its own."""
    try:
        ship(kind, [row for _, row, _ in waiting])
    except Exception as error:
        if len(waiting) > 1 and isinstance(error, DataError | IntegrityError):
            for entry in waiting:
                store_together(kind, [entry])
        else:
            for _, _, stored in waiting:
                stored.set_exception(error)
    else:
        for _, _, stored in waiting:
            stored.set_result(None)


class Process:
    """What belongs to this process alone: a fork leaves the parent's thread and connection behind."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.writer = Writer()


process: Final = Process()
os.register_at_fork(after_in_child=process.reset)


def store(kind: str, row: Row) -> None:
    """Store a row made by the kind's `clean`, and return once it survives kill -9 of this process.

    Raises django.db.Error when the database refuses or is away, TimeoutError when it does not answer in
    time. The row of a call that raised may still be stored, as a COMMIT whose answer was lost is.
    """
    stored = process.writer.submit(kind, row)
    try:
        stored.result(PATIENCE_S)
    except TimeoutError:
        stored.cancel()
        raise


async def store_async(kind: str, row: Row) -> None:
    """Do as `store` does while the event loop goes on."""
    # asyncio.wait leaves the storing alone when the caller is cancelled: the event is told, whoever listens.
    stored = asyncio.wrap_future(process.writer.submit(kind, row))
    _, pending = await asyncio.wait([stored], timeout=PATIENCE_S)
    if pending:
        stored.cancel()
        raise TimeoutError
    await stored


def close(timeout_s: float | None = None) -> bool:
    """Wait for what is being stored and close the connection; the next event opens it again."""
    return process.writer.stop(timeout_s)
