"""What is asked of the job queue: how much waits in each class, and since when."""

from django.utils import timezone

from healthpilot.dataqueue.queries import queues
from systemstatus.registry import Reading


def depth() -> Reading:
    """Return waiting jobs and the age of the oldest one in seconds, by class; a paused class is not late."""
    found, now = queues(), timezone.now()
    oldest = {
        one.name: round((now - one.oldest_at).total_seconds(), 1) if one.oldest_at and not one.pause else 0.0
        for one in found
    }
    standing = [
        {"name": one.name, "waiting": one.waiting, "running": one.running, "deferred": one.deferred,
         "failed": one.failed, "parked": one.parked, "paused": one.pause is not None}
        for one in found
    ]  # fmt: skip
    depths = {one.name: one.waiting for one in found}
    return Reading({"queue.depth": depths, "queue.oldest": oldest}, {"queues": standing})
