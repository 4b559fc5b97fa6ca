"""The thread of a process that carries its events to the database, and those of processes that are gone."""

import logging
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Final

from django.db import connection

from telemetry.spool.adoption import adopt
from telemetry.spool.status import Status
from telemetry.spool.transfer import OffsetMoved, Shipped, ship_chunk
from telemetry.spool.writer import Writer

logger = logging.getLogger("telemetry")

SHIP_EVERY_S: Final = 0.5
ADOPT_EVERY_S: Final = 2.0
CLOSE_IDLE_S: Final = 10.0
# Long before the database forgets how far a file was shipped: what is left of it would then come again.
LEAVE_IDLE_S: Final = 3600.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 15.0
LOG_EVERY_S: Final = 60.0


class Wait:
    """For how long the oldest event has been waiting, right to the time of a pass."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._goal, self._goal_at = 0, 0.0

    def seconds(self, recorded: int, settled: int, now: float) -> float:
        """Return it in seconds, given how many events were recorded and settled up to now (seconds)."""
        if settled >= recorded:
            self._since = None
            return 0.0
        if self._since is None or settled >= self._goal:
            # Whatever had been recorded at the goal is settled, so that what waits was recorded after it.
            self._since = now if self._since is None else self._goal_at
            self._goal, self._goal_at = recorded, now
        return now - self._since


class Shipper:
    """Ships what a writer keeps, until it is told to stop. No exception ends it."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.shipped = 0
        self.adopted = 0
        self._wait = Wait()
        self._status = Status(writer)
        self.aside: Counter[str] = Counter()
        self.failure = ""
        self._hurry = threading.Event()
        self._moved = threading.Condition()
        self._is_stopping = False
        self._failures = 0
        self._logged_at = -LOG_EVERY_S
        self._adopted_at = -ADOPT_EVERY_S
        self._busy_at = time.monotonic()
        self.thread = threading.Thread(target=self._run, name="telemetry-shipper", daemon=True)

    def start(self) -> None:
        """Start the thread; raises RuntimeError where none can start."""
        self.thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ask the thread to end and wait for it, at most so long."""
        self._is_stopping = True
        self._hurry.set()
        if self.thread.is_alive() and self.thread is not threading.current_thread():
            self.thread.join(timeout_s)

    def flush(self, timeout_s: float) -> bool:
        """Ship everything recorded until now; returns whether all of it is in the database in time."""
        wanted = self.writer.snapshot()
        deadline = time.monotonic() + timeout_s
        with self._moved:
            while not all((one.committed or 0) >= size for one, size in wanted):
                self._hurry.set()
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self.thread.is_alive():
                    return False
                self._moved.wait(min(left_s, SHIP_EVERY_S))
        return True

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._hurry.wait(self._pause_s())
                self._hurry.clear()
                self._pass()
                self._tell_status()
        finally:
            self._tell_status(at_once=True)
            with suppress(Exception):
                connection.close()

    def _pause_s(self) -> float:
        """Return how long to rest: longer after every failure, and never the same for two processes."""
        if not self._failures:
            return SHIP_EVERY_S
        longest = min(FIRST_PAUSE_S * 2 ** min(self._failures, 10), LONGEST_PAUSE_S)
        return float(longest * random.uniform(0.5, 1.0))

    def _pass(self) -> None:
        """Ship what waits once; whatever goes wrong, the next pass tries again."""
        try:
            self.writer.check_place()
            self._ship_own()
            if time.monotonic() - self._adopted_at >= ADOPT_EVERY_S:
                adopt(self._tell_adopted, own_stem=self.writer.stem)
                self._adopted_at = time.monotonic()
            self._failures, self.failure = 0, ""
            self._rest(time.monotonic() - self._busy_at)
        except Exception as error:
            self._note_failure(error)
            with suppress(Exception):
                connection.close()
        finally:
            with self._moved:
                self._moved.notify_all()

    def _rest(self, idle_s: float) -> None:
        """Give back what is not needed while nothing comes."""
        if idle_s > CLOSE_IDLE_S:
            connection.close()
        if idle_s > LEAVE_IDLE_S:
            self.writer.drop_shipped(also_current=True)

    def _tell_status(self, *, at_once: bool = False) -> None:
        """Let others see how far this process is; that it cannot be told never ends the shipping."""
        with suppress(Exception):
            left = [(one.committed or one.start, size) for one, size in self.writer.snapshot()]
            recorded, settled = self.writer.recorded, self.shipped + sum(self.aside.values())
            oldest_s = self._wait.seconds(recorded, settled, time.monotonic())
            figures = {"shipped": self.shipped, "adopted": self.adopted, "aside": dict(self.aside)}
            figures |= {"waiting": max(0, recorded - settled), "oldest_s": round(oldest_s, 1)}
            figures |= {"waiting_bytes": sum(size - done for done, size in left), "failure": self.failure}
            self._status.tell(figures, at_once=at_once)

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        self.failure = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        if time.monotonic() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = time.monotonic()
            logger.warning("Events wait in the spool, the database takes none: %s", self.failure)

    def _ship_own(self) -> None:
        connection.close_if_unusable_or_obsolete()
        recorded = self.writer.recorded  # all of it lies in the segments that are asked for next
        wanted = self.writer.snapshot()
        for segment, size in wanted:
            while segment.committed is None or segment.committed < size:
                try:
                    shipped = ship_chunk(segment, segment.layout, size, is_last=False)
                except OffsetMoved:
                    continue
                if shipped is None:
                    break
                self._tell(shipped)
        if all((segment.committed or 0) >= size for segment, size in wanted):
            # A commit whose answer was lost, or that another process made, counts from here.
            self.shipped = max(self.shipped, recorded - sum(self.aside.values()))
        self.writer.drop_shipped()

    def _tell(self, shipped: Shipped) -> None:
        self.shipped += shipped.events
        self.aside.update(shipped.refused)
        self._busy_at = time.monotonic()

    def _tell_adopted(self, shipped: Shipped) -> None:
        self.adopted += shipped.events
        if shipped.refused:
            logger.warning("%d events of a process that is gone were set aside.", len(shipped.refused))
        self._busy_at = time.monotonic()
