"""Celery's scheduler, which says of each entry when it was last sent and how late it is."""

import socket
from datetime import timedelta
from typing import Any, Final

from celery.beat import PersistentScheduler

from systemstatus.vitals.pulse import Pulse

LONGEST_S: Final = 5.0


class SeenScheduler(PersistentScheduler):  # type: ignore[misc] # celery has no types
    """Stamps its sign of life after each turn: one that hangs in sending is as late as it is."""

    pulse: Pulse | None = None

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due, and return how long to sleep."""
        wait_s = super().tick(*args, **options)
        if self.pulse is None:
            self.standing = self.lateness()
            self.pulse = Pulse(f"beat@{socket.gethostname()}", "beat", lambda: {"entries": self.standing})
            self.pulse.start()
        self.standing = self.lateness()
        self.pulse.stamp()
        return min(float(wait_s), LONGEST_S)

    def close(self) -> None:
        """Say good-bye: the schedule ends in order."""
        super().close()
        if self.pulse:
            self.pulse.end()
            self.pulse = None

    def lateness(self) -> list[dict[str, Any]]:
        """Return each entry with its last run and how many seconds it is overdue by this process's clock."""
        return [standing(name, entry) for name, entry in sorted(self.schedule.items())]


def standing(name: str, entry: Any) -> dict[str, Any]:
    """Return how one entry of the schedule stands; overdue_s is below nought until it comes due."""
    every = getattr(entry.schedule, "run_every", None) or timedelta(0)
    due_in = entry.schedule.remaining_estimate(entry.last_run_at)
    return {
        "name": name,
        "task": entry.task,
        "every_s": every.total_seconds(),
        "last_run_at": entry.last_run_at.isoformat(),
        "next_run_at": (entry.schedule.now() + due_in).isoformat(),
        "overdue_s": round(-due_in.total_seconds(), 1),
        "runs": entry.total_run_count,
    }
