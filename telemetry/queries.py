"""What pages ask of raw events: single rows by an index, never sums."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, Max, Q

from telemetry.models import JobEvent, LlmEvent

AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class LastEvent:
    """The newest event: its kind in a word, what it is called, whether it succeeded, and when it ended."""

    kind: str
    name: str
    success: bool
    created_at: datetime


def last_event(now: datetime) -> LastEvent | None:
    """Return the newest event of either kind, read backwards along the key of the newest partition."""
    jobs = JobEvent.objects.filter(created_at__lte=now + AHEAD).order_by("-created_at", "-id")
    calls = LlmEvent.objects.filter(created_at__lte=now + AHEAD).order_by("-created_at", "-id")
    newest = [LastEvent("job", *found) for found in jobs.values_list("job_type", "success", "created_at")[:1]]
    newest += [
        LastEvent("call", *found) for found in calls.values_list("llm_model", "success", "created_at")[:1]
    ]
    return max(newest, key=lambda event: event.created_at, default=None)


def runs_between(start: datetime, end: datetime) -> tuple[int, int]:
    """Return how many attempts of jobs ended within a short time, and how many of them failed."""
    ended = JobEvent.objects.filter(created_at__gte=start, created_at__lt=end)
    counted = ended.aggregate(runs=Count("*"), failed=Count("id", filter=Q(success=False)))
    return counted["runs"], counted["failed"]


@dataclass(frozen=True)
class TypeRuns:
    """How attempts of one job type went within a time: how many, how many failed, how long, waits in ms."""

    job_type: str
    runs: int
    failed: int
    mean_ms: float | None
    mean_wait_ms: float | None
    longest_wait_ms: int | None


def runs_by_type(start: datetime, end: datetime, *, limit: int) -> list[TypeRuns]:
    """Return how each job type went within a short time, those with most attempts first."""
    ended = JobEvent.objects.filter(created_at__gte=start, created_at__lt=end).values_list("job_type")
    counted = ended.annotate(
        runs=Count("*"),
        failed=Count("id", filter=Q(success=False)),
        mean=Avg("duration_ms"),
        wait=Avg("queue_wait_ms"),
        longest=Max("queue_wait_ms"),
    )
    return [TypeRuns(*row) for row in counted.order_by("-runs", "job_type")[:limit]]
