"""Shows that a running job lives, and prolongs its lease, from a thread beside the batch."""

import logging
import threading
import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils import timezone

from healthpilot.dataqueue import lease, sweep
from healthpilot.dataqueue.claim import Claim
from healthpilot.dataqueue.work import Step

logger = logging.getLogger(__name__)

KEPT_S = 120
LONGEST_S = 10.0


class Heartbeat(threading.Thread):
    """Beats several times a lease while a batch takes no longer than its kind allows.

    Whoever runs a job keeps the sweeper's turns as well: they come even when every worker is busy.
    Where the process stands still the lease runs out by itself.
    """

    def __init__(self, claim: Claim, *, timeout_s: float) -> None:
        super().__init__(name=f"heartbeat of job {claim.job_id}", daemon=True)
        self.claim, self.timeout_s = claim, timeout_s
        self.pause_s = min(LONGEST_S, settings.DATAQUEUE_LEASE_S / 4)
        self.lost = False
        self._ended = threading.Event()
        self._batch_began = time.monotonic()
        self._step: Step | None = None
        self._said_at = timezone.now()

    def __enter__(self) -> "Heartbeat":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self.join(timeout=30)

    def begin_batch(self) -> None:
        self._batch_began = time.monotonic()

    def say(self, step: Step) -> None:
        """Take in how far the batch has come; the next beat shows it."""
        self._step, self._said_at = step, timezone.now()

    def run(self) -> None:
        """Beat until the job is let go of or lost."""
        try:
            show(self.claim.job_id, self._step, self._said_at)
            while not self._ended.wait(self.pause_s) and not self.lost:
                self.beat()
        finally:
            connection.close()

    def beat(self) -> None:
        """Prolong the lease, show the progress, and sweep when it is time; a failure can wait."""
        if time.monotonic() - self._batch_began > self.timeout_s:
            self.lost = True
            logger.error("Job %s: a batch takes longer than %s s", self.claim.job_id, self.timeout_s)
            return
        show(self.claim.job_id, self._step, self._said_at)
        try:
            self.lost = not lease.renew(self.claim)
            sweep.sweep_in_turn()
        except DatabaseError as error:
            logger.warning("Job %s: the lease was not prolonged (%s)", self.claim.job_id, error)
            connection.close()


def show(job_id: int, step: Step | None, said_at: datetime) -> None:
    """Write a sign of life to Redis and when the work last said how far it is; it can be lost at any time."""
    said: dict[str, Any] = {"at": timezone.now(), "said_at": said_at}
    if step:
        said |= {name: value for name, value in asdict(step).items() if name != "checkpoint"}
    cache.set(key_of(job_id), said, KEPT_S)


def seen(job_ids: list[int]) -> dict[int, dict[str, Any]]:
    """Return the signs of life there are, by job."""
    found = cache.get_many([key_of(job_id) for job_id in job_ids])
    return {job_id: found[key_of(job_id)] for job_id in job_ids if key_of(job_id) in found}


def key_of(job_id: int) -> str:
    return f"dataqueue:alive:{job_id}"
