"""A Celery worker's sign of life, stamped by the loop that takes messages."""

import time
from typing import Any, Final

from celery import bootsteps
from celery.worker import state

from systemstatus.vitals.pulse import Pulse

STAMP_S: Final = 2.0
LISTED: Final = 20


class PulseStep(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """Part of the consumer: begins with each connection to the broker, so that without one it is not stamped.

    A worker that is stopped (SIGSTOP), hangs, or lost its broker is thus seen as what it is: not consuming.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.pulse: Pulse | None = None
        self.timer: Any = None

    def start(self, parent: Any) -> None:
        """Stamp from the loop's timer while it turns."""
        if self.pulse is None:
            self.pulse = Pulse(parent.hostname, "worker", lambda: detail(parent))
            self.pulse.start()
        self.pulse.stamp()
        self.timer = parent.timer.call_repeatedly(STAMP_S, self.pulse.stamp)

    def stop(self, parent: Any) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None

    def shutdown(self, parent: Any) -> None:
        """Say good-bye where the worker ends in order."""
        self.stop(parent)
        if self.pulse:
            self.pulse.end()
            self.pulse = None


def detail(consumer: Any) -> dict[str, Any]:
    """Return what a worker works on: its queues, how many at once, the tasks in hand."""
    now = time.time()
    running = sorted(state.active_requests, key=lambda request: request.time_start or now)
    return {
        "queues": sorted(consumer.app.amqp.queues.consume_from),
        "at_once": getattr(consumer.pool, "num_processes", 1),
        "running": [
            {"task": request.name, "id": request.id, "for_s": round(now - (request.time_start or now), 1)}
            for request in running[:LISTED]
        ],
        "running_count": len(running),
        "done": sum(state.total_count.values()),
    }
