"""What is asked of the job queue: how much waits and since when, what stands still, what fails."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from healthpilot.dataqueue.queries import queues, standing_still
from systemstatus.registry import Reading
from telemetry.queries import runs_between, runs_by_type

MINUTE: Final = timedelta(minutes=1)
LISTED: Final = 20
TYPES_MIN: Final = 15
MOST_TYPES: Final = 40


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


def progress() -> Reading:
    """Return for how many seconds the job of each kind that stands still the longest made no progress."""
    still = standing_still(timezone.now())
    longest: dict[str, float] = {}
    for job, seconds in still:
        longest.setdefault(job.kind, round(seconds, 1))
    listed = [
        {"id": job.pk, "kind": job.kind, "still_s": round(seconds, 1), "done": job.done, "total": job.total,
         "unit": job.unit, "started_at": job.started_at, "queue": job.queue_class}
        for job, seconds in still[:LISTED]
    ]  # fmt: skip
    return Reading({"queue.progress": longest}, {"running": listed})


def outcomes() -> Reading:
    """Return how many attempts of jobs ended, and how many failed, in the minute before the last.

    That minute and not the last one, for events are on their way to the database for some seconds.
    """
    end = timezone.now().replace(second=0, microsecond=0) - MINUTE
    runs, failed = runs_between(end - MINUTE, end)
    return Reading({"queue.runs": runs, "queue.failed": failed})


def types() -> Reading:
    """Return how each job type went in the last quarter of an hour: attempts, failures, lengths and waits."""
    end = timezone.now().replace(second=0, microsecond=0) - MINUTE
    found = runs_by_type(end - TYPES_MIN * MINUTE, end, limit=MOST_TYPES)
    listed = [
        {"type": one.job_type, "runs": one.runs, "failed": one.failed, "mean_ms": rounded(one.mean_ms),
         "mean_wait_ms": rounded(one.mean_wait_ms), "longest_wait_ms": one.longest_wait_ms}
        for one in found
    ]  # fmt: skip
    return Reading(detail={"types": listed, "types_minutes": TYPES_MIN})


def rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 1)
