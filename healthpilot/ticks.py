"""What every Celery task is: it asks for an emergency stop before it runs."""

import logging
from typing import Any

from celery import Task

from governance import emergency

logger = logging.getLogger(__name__)

# What goes on during a stop: recording and the partitions it writes to, status and its alerts.
GOES_ON = ("telemetry.", "systemstatus.", "celery.")


class Tick(Task):  # type: ignore[misc] # celery has no types
    """A task that is skipped, with a line in the log, while the emergency stop is in force.

    Nothing is lost by it: PostgreSQL says what is due, so the first tick after the resume catches up.
    """

    def __call__(self, *args: Any, **options: Any) -> Any:
        stop = "" if self.name.startswith(GOES_ON) else emergency.active()
        if stop:
            logger.warning("%s is skipped: EMERGENCY STOP by %s", self.name, stop)
            return None
        return super().__call__(*args, **options)
