"""What pages ask of raw events: single rows by an index, never sums."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

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
    counted = ended.aggregate(runs=Count("*"), failed=Count("*", filter=Q(success=False)))
    return counted["runs"], counted["failed"]
