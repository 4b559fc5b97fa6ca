"""Measures one run of a job: time, CPU, memory high-water, rows."""

import os
import resource
import sys
import threading
import time
import weakref
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any, Final, TypeVar

from telemetry.rows import tallies

T = TypeVar("T")
MAXRSS_PER_MB: Final = 1024 if sys.platform == "linux" else 1024 * 1024


class Meter:
    """Measures from `start` to `stop`, in one thread or coroutine; outer meters include inner ones."""

    def __init__(self) -> None:
        self.rows_read = 0
        self.rows_written = 0
        self.cpu_s = 0.0
        self.wall_s = 0.0
        self.mem_mb_peak = 0
        self.mem_is_process = False

    def start(self, *, cpu: bool = True) -> None:
        """Begin; without `cpu` the coroutine's driver adds to `cpu_s`, else the thread's time counts."""
        running.begin(self, outer=tallies.get())
        self._token = tallies.set((*tallies.get(), self))
        self._cpu = cpu
        self._thread = threading.get_ident()
        self._wall_start = time.monotonic()
        self._cpu_start = time.thread_time()

    def stop(self) -> None:
        """End, and leave the figures in the attributes."""
        if self._cpu and self._thread == threading.get_ident():  # no thread can ask for another's time
            self.cpu_s = time.thread_time() - self._cpu_start
        self.wall_s = time.monotonic() - self._wall_start
        self.mem_mb_peak = memory_high_water_mb()
        running.end(self)
        # A block left in another context than it was entered in has nothing to put back there.
        with suppress(ValueError):
            tallies.reset(self._token)

    def figures(self) -> dict[str, Any]:
        """Return what was measured as columns of a job event."""
        return {
            "duration_ms": round(self.wall_s * 1000),
            "cpu_ms": round(self.cpu_s * 1000),
            "rows_read": self.rows_read,
            "rows_written": self.rows_written,
            "mem_mb_peak": self.mem_mb_peak,
            "mem_is_process": self.mem_is_process,
        }


class Running:
    """The meters at work in this process, which share its one memory high-water mark."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._lock = threading.RLock()
        self._mark: int | None = None
        # Weak, so that a block that is never left does not make every later job say it shares.
        self._meters: weakref.WeakSet[Meter] = weakref.WeakSet()

    def begin(self, meter: Meter, *, outer: tuple[object, ...]) -> None:
        """Let a meter that runs alone start from a fresh mark; where several share it, each says so."""
        with self._lock:
            if self._meters:
                meter.mem_is_process = True
                for other in self._meters:
                    other.mem_is_process = other.mem_is_process or other not in outer
            else:
                meter.mem_is_process = not self._has_fresh_mark()
            self._meters.add(meter)

    def _has_fresh_mark(self) -> bool:
        """Have the mark stand at what is held now; one that did not rise since it was set is fresh enough.

        Asking costs a fifth of setting it, and most jobs are small. Memory given back since then without any
        job rising above the mark is overlooked: the figure is then too high, never too low.
        """
        if self._mark is not None and peak_rss() == self._mark:
            return True
        if not reset_memory_high_water():
            return False
        self._mark = peak_rss()
        return True

    def end(self, meter: Meter) -> None:
        with self._lock:
            self._meters.discard(meter)


running: Final = Running()
os.register_at_fork(after_in_child=running.reset)


def reset_memory_high_water() -> bool:
    """Bring this process's high-water mark down to what it holds now; returns whether that is allowed."""
    try:
        clear_refs = os.open("/proc/self/clear_refs", os.O_WRONLY)
    except OSError:
        return False
    try:
        return os.write(clear_refs, b"5") == 1
    except OSError:
        return False
    finally:
        os.close(clear_refs)


def memory_high_water_mb() -> int:
    """Return the most memory this process held since the last reset (or its start), in MiB."""
    return round(peak_rss() / MAXRSS_PER_MB)


def peak_rss() -> int:
    """Return this process's high-water mark in the system's unit."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Driven:
    """Awaits a coroutine, the CPU time of its own steps added to a meter, not that of others between."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], meter: Meter) -> None:
        self._coroutine = coroutine
        self._meter = meter

    def __await__(self) -> Generator[Any, Any, Any]:
        step, value = self._coroutine.send, None
        while True:
            began = time.thread_time()
            try:
                waits_for = step(value)
            except StopIteration as end:
                return end.value
            finally:
                self._meter.cpu_s += time.thread_time() - began
            try:
                step, value = self._coroutine.send, (yield waits_for)
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:
                step, value = self._coroutine.throw, error
