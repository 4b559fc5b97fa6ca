"""Short ways to put test jobs in, to run what waits, and to see what became of them."""

from typing import Any

from django.db import connection

from healthpilot.dataqueue.enqueue import enqueue
from healthpilot.dataqueue.models import Entry, Job, QueueClass
from healthpilot.dataqueue.run import run_next
from tests.healthpilot.dataqueue import kinds  # noqa: F401 - registers the kinds


def put(kind: str = "test.rows", payload: dict[str, Any] | None = None, **options: Any) -> int:
    """Put a job in; a free user's unless told otherwise."""
    asked = {"tier": "free", "user_id": "ada", "domain": "tests"} | options
    return enqueue(kind, payload, **asked)


def seen(job_id: int) -> Job:
    return Job.objects.get(pk=job_id)


def entries(job_id: int) -> list[str]:
    """Return what happened to a job, the first thing first."""
    return list(Entry.objects.filter(job_id=job_id).order_by("id").values_list("what", flat=True))


def batches(job_id: int) -> list[int]:
    """Return the batches whose rows are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT batch FROM test_rows WHERE job_id = %s ORDER BY batch", [job_id])
        return [row[0] for row in cursor.fetchall()]


def run_all() -> list[int]:
    """Run all that waits in this process; returns the jobs in the order they ran."""
    ran: list[int] = []
    for queue_class in QueueClass.values:
        while (job_id := run_next(queue_class, owner="tester")) is not None:
            ran.append(job_id)
    return ran


def age(job_id: int, **columns: str) -> None:
    """Move times of a job into the past: age(1, lease_until='1 minute')."""
    for column, interval in columns.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE dataqueue_jobs SET {column} = clock_timestamp() - %s::interval WHERE id = %s",
                [interval, job_id],
            )
