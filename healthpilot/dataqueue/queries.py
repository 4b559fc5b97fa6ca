"""What the job pages, the API and the command read: a page of few fields, one job, how the queues stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet

from healthpilot.dataqueue import heartbeat
from healthpilot.dataqueue.models import OPEN, Entry, Job, Pause, QueueClass, State
from healthpilot.web.pages import Cursor, Page, keyset_page

LIST_FIELDS = (
    "id", "kind", "state", "queue_class", "tier", "user_id", "done", "total", "unit", "attempt", "not_before",
    "defer_reason", "error_code", "due_at", "started_at", "finished_at", "created_at", "updated_at",
)  # fmt: skip
FILTERS = ("state", "kind", "queue_class", "tier")
MOST_ENTRIES = 100
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Queue:
    """How one class stands: counts by state, since when its oldest job waits, and who paused it."""

    name: str
    label: str
    waiting: int
    running: int
    deferred: int
    failed: int
    parked: int
    oldest_at: datetime | None
    pause: Pause | None


def jobs(
    filters: dict[str, str], *, limit: int, cursor: str | None, fields: Sequence[str] = LIST_FIELDS
) -> Page[Job]:
    """Return one page of jobs, the newest first; raises CursorError."""
    wanted = Job.objects.filter(**{name: value for name, value in filters.items() if value})
    named = ":".join(filters.get(name, "") for name in FILTERS)

    def fetch(start: Cursor | None, most: int) -> Sequence[Job]:
        return list(beside(wanted.only(*fields), start)[:most])

    return keyset_page(
        fetch, lambda job: (str(job.pk),), scope=f"dataqueue:{named}", cursor=cursor, limit=limit
    )


def beside(found: "QuerySet[Job]", start: Cursor | None) -> "QuerySet[Job]":
    """Return the jobs after a cursor, newest first, or before it in reverse order."""
    if start is None:
        return found.order_by("-id")
    at = int(start.key[0])
    return (
        found.filter(id__gt=at).order_by("id") if start.backwards else found.filter(id__lt=at).order_by("-id")
    )


def queues() -> list[Queue]:
    """Return how every class stands; reads open jobs only."""
    rows: dict[str, dict[str, int]] = {name: {} for name in QueueClass.values}
    open_jobs = Job.objects.filter(state__in=OPEN)
    for name, state, count in open_jobs.values_list("queue_class", "state").annotate(Count("id")):
        rows[name][state] = count
    waiting = Job.objects.filter(state=State.WAITING).values_list("queue_class")
    oldest: dict[str, datetime] = dict(waiting.annotate(Min("due_at")))
    pauses = {pause.queue_class: pause for pause in Pause.objects.all()}
    states = ("waiting", "running", "deferred", "failed", "parked")
    return [
        Queue(
            name=name,
            label=str(QueueClass(name).label),
            oldest_at=oldest.get(name),
            pause=pauses.get(name),
            **{state: rows[name].get(state, 0) for state in states},
        )
        for name in QueueClass.values
    ]


def job(job_id: int) -> Job | None:
    return Job.objects.filter(pk=job_id).first() if job_id <= MAX_ID else None


def was_there(job_id: int) -> bool:
    """Say whether a job that is not there was once: later ones are, and ids only grow."""
    return 0 < job_id <= MAX_ID and Job.objects.filter(pk__gt=job_id).exists()


def entries(job_id: int) -> list[Entry]:
    """Return what happened to a job last, the newest first."""
    return list(Entry.objects.filter(job_id=job_id).order_by("-id")[:MOST_ENTRIES])


def alive(found: Sequence[Job]) -> dict[int, dict[str, Any]]:
    """Return the signs of life of the running ones."""
    return heartbeat.seen([one.pk for one in found if one.state == State.RUNNING])


def standing_still(now: datetime) -> list[tuple[Job, float]]:
    """Return running jobs with the seconds since they last made progress, the longest first.

    Progress is a committed batch, or what a batch said of itself meanwhile.
    """
    running = list(Job.objects.filter(state=State.RUNNING).only(*LIST_FIELDS).order_by("updated_at")[:200])
    signs = heartbeat.seen([job.pk for job in running])
    ages = [
        (job, now - max(job.updated_at, signs.get(job.pk, {}).get("said_at", job.updated_at)))
        for job in running
    ]
    return sorted(((job, max(age.total_seconds(), 0)) for job, age in ages), key=lambda pair: -pair[1])
