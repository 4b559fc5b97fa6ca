"""Ends a worker within its grace: tasks may finish, for a while; what has not is handed back."""

import os
import signal
import threading
from typing import Any

from celery import bootsteps, signals

GRACE_S = 30.0


class ShutdownStep(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
    """Part of the worker: makes of SIGTERM, which waits for tasks without end, a wait of at most GRACE_S.

    Celery's own soft shutdown sleeps its whole time in the signal's handler wherever a task counts as active,
    and while it sleeps no end of a task is read: a worker that was told to end half a second before its last
    tick was done took 30 s more.
    """

    def start(self, parent: Any) -> None:
        """Listen for the request to end; Celery tells of it by the worker's name."""
        signals.worker_shutting_down.connect(limit_the_wait, sender=parent.hostname)


def limit_the_wait(how: str = "", **details: Any) -> None:
    """Cut off what still runs GRACE_S after the worker was asked to end."""
    if how == "Warm":
        last = threading.Timer(GRACE_S, os.kill, (os.getpid(), signal.SIGQUIT))
        last.daemon = True
        last.start()
