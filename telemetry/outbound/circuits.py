"""Circuit breakers, one a client and process: who fails again and again is left alone for a while."""

import threading
import time
from collections.abc import Callable
from typing import Final

FAILURES: Final = 5
REST_S: Final = 30.0


class CircuitOpenError(Exception):
    """The service failed so often that it is not asked for now."""


class Circuit:
    """Closed while calls succeed, open for REST_S after FAILURES in a row, then one call tries."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.clock = name, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until: float | None = None

    @property
    def state(self) -> str:
        """Return closed, open, or half-open when the next call is a try."""
        if self._open_until is None:
            return "closed"
        return "open" if self.clock() < self._open_until else "half-open"

    def enter(self) -> None:
        """Raise CircuitOpenError while it is open; the first caller after the rest tries, others wait on."""
        with self._lock:
            if self.state == "open":
                raise CircuitOpenError(f"{self.name} failed {self._failures} times in a row and rests")
            if self.state == "half-open":
                self._open_until = self.clock() + REST_S

    def leave(self, *, is_well: bool) -> None:
        """Note how a call went."""
        with self._lock:
            self._failures = 0 if is_well else self._failures + 1
            self._open_until = self.clock() + REST_S if self._failures >= FAILURES else None
            if is_well:
                self._open_until = None
