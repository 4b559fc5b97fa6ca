"""Celery tasks of the queue; a message names a job, and PostgreSQL says which of its class is next."""

from celery import shared_task

from healthpilot.dataqueue import retention
from healthpilot.dataqueue import run as runner
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.sweep import sweep


# Acknowledged at its end, so that a busy worker takes no message that an idle one could have; one that comes
# again finds nothing to take.
@shared_task(name="dataqueue.run", acks_late=True)
def run(job_id: str) -> None:
    """Run the next job of the class that the named job stands in; nothing where none waits."""
    queue_class = Job.objects.filter(pk=int(job_id)).values_list("queue_class", flat=True).first()
    if queue_class:
        runner.run_next(queue_class)


@shared_task(name="dataqueue.sweep")
def sweep_jobs() -> None:
    """Take up, release and re-send; safe at any time and side by side."""
    sweep()


@shared_task(name="dataqueue.prune")
def prune() -> None:
    """Remove what is past its time."""
    retention.prune()
    retention.prune_folders()
