"""Counts what could not be recorded, by reason, and says so in the log without flooding it."""

import logging
import os
import threading
import time
from collections import Counter
from typing import Final

logger = logging.getLogger("telemetry")

LOG_EVERY_S: Final = 60.0


class Drops:
    """The events this process could not record since it began (or was forked)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()
        self._logged_at: dict[str, float] = {}

    def add(self, reason: str, detail: str) -> None:
        """Count one event for this reason, and log the detail unless this reason was logged a moment ago."""
        with self._lock:
            self._counts[reason] += 1
            count = self._counts[reason]
            due = self._is_due(reason)
        if due:
            logger.warning("An event was not recorded (%d so far, %s): %s", count, reason, detail)

    def warn(self, about: str, detail: str) -> None:
        """Log what loses no event but makes it poorer, unless the same was logged a moment ago."""
        with self._lock:
            due = self._is_due(about)
        if due:
            logger.warning("%s: %s", about, detail)

    def _is_due(self, about: str) -> bool:
        now = time.monotonic()
        due = now - self._logged_at.get(about, -LOG_EVERY_S) >= LOG_EVERY_S
        if due:
            self._logged_at[about] = now
        return due

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)


drops: Final = Drops()
os.register_at_fork(after_in_child=drops.reset)


def dropped_events() -> dict[str, int]:
    """Return how many events this process could not record, by reason."""
    return drops.counts()
