"""What a person may do to a job or a queue: conditional updates, so that the second of two does nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from healthpilot.dataqueue import messages
from healthpilot.dataqueue.enqueue import open_job, turn_of
from healthpilot.dataqueue.entries import note
from healthpilot.dataqueue.models import Job, Pause, QueueClass, State
from healthpilot.web import trail

AT_ONCE = (State.WAITING, State.DEFERRED, State.FAILED, State.PARKED)
AGAIN = (State.DEAD, State.PARKED, State.CANCELLED)
LATER = (State.DEFERRED, State.FAILED)


@dataclass(frozen=True)
class Done:
    """Whether something was done, and a sentence that says what, or why not."""

    ok: bool
    said: str


def cancel(job_id: int, *, actor: str) -> Done:
    """End a job that does not run at once; ask one that runs to stop after its batch."""
    with transaction.atomic():
        if moved(job_id, Q(state__in=AT_ONCE), state=State.CANCELLED, finished_at=Now(), not_before=None):
            note(job_id, "cancelled", actor=actor)
            trail.tell(actor=actor, action="job.cancel", target=f"job {job_id}")
            return Done(True, f"Job {job_id} is cancelled.")
        if moved(job_id, Q(state=State.RUNNING, cancel_by=""), cancel_by=actor[:80]):
            note(job_id, "cancel asked", actor=actor)
            trail.tell(actor=actor, action="job.cancel", target=f"job {job_id}")
            return Done(True, f"Job {job_id} stops after the batch it is in; what is committed stays.")
    return not_done(job_id, "cancelled")


def retry(job_id: int, *, actor: str) -> Done:
    """Let a job that ended without success go on at its checkpoint."""
    job = Job.objects.filter(pk=job_id).first()
    try:
        with transaction.atomic():
            if job and moved(
                job_id, Q(state__in=AGAIN), finished_at=None, stuck=0, cancel_by="", **due_now(job)
            ):
                note(job_id, "retried", actor=actor)
                trail.tell(actor=actor, action="job.retry", target=f"job {job_id}")
                messages.send_on_commit(job.queue_class, job_id)
                return Done(True, f"Job {job_id} waits for a worker; it goes on where it stopped.")
    except IntegrityError:
        other = open_job(job.unique_key) if job and job.unique_key else None
        return Done(False, f"Job {other} does the same work already: nothing was done.")
    return not_done(job_id, "retried")


def run_now(job_id: int, *, actor: str) -> Done:
    """End a job's wait for its time; budgets are asked all the same."""
    job = Job.objects.filter(pk=job_id).first()
    with transaction.atomic():
        if job and moved(job_id, Q(state__in=LATER), **due_now(job)):
            note(job_id, "run now", actor=actor)
            trail.tell(actor=actor, action="job.run_now", target=f"job {job_id}")
            messages.send_on_commit(job.queue_class, job_id)
            return Done(True, f"Job {job_id} waits for a worker. Budgets are asked again before it runs.")
    return not_done(job_id, "run now")


ACTIONS: dict[str, Callable[..., Done]] = {"cancel": cancel, "retry": retry, "run-now": run_now}


def allowed(job: Job) -> list[str]:
    """Return the actions that make sense in a job's state."""
    running = job.state == State.RUNNING and not job.cancel_by
    states = {"run-now": LATER, "retry": AGAIN, "cancel": AT_ONCE}
    return [name for name, own in states.items() if job.state in own or (name == "cancel" and running)]


def pause(queue_class: str, *, actor: str, reason: str = "") -> Done:
    """Let no further job of a class begin; those that run go on."""
    label = QueueClass(queue_class).label
    values = {"actor": actor[:80], "reason": reason[:300]}
    with transaction.atomic():
        _, made = Pause.objects.get_or_create(queue_class=queue_class, defaults=values)
        if not made:
            return Done(False, f"{label} stood still already.")
        trail.tell(actor=actor, action="queue.pause", target=f"queue {queue_class}", reason=reason)
    return Done(True, f"{label} is paused: jobs that run go on, the others wait.")


def resume(queue_class: str, *, actor: str) -> Done:
    """Let the jobs of a class begin again."""
    label = QueueClass(queue_class).label
    with transaction.atomic():
        removed, _ = Pause.objects.filter(queue_class=queue_class).delete()
        if not removed:
            return Done(False, f"{label} was not paused.")
        trail.tell(actor=actor, action="queue.resume", target=f"queue {queue_class}")
    transaction.on_commit(lambda: messages.top_up_class(queue_class), robust=True)
    return Done(True, f"{label} goes on.")


SWITCHES: dict[str, Callable[..., Done]] = {"pause": pause, "resume": resume}


def release_deferred(*, rule: str | None = None, **whose: str) -> int:
    """Let deferred jobs ask again: after a cap was raised; the sweeper brings them back bit by bit.

    Args:
        rule: only those that this rule deferred. whose: tier, domain or user_id of the jobs.
    """
    budgets = Job.objects.filter(state=State.DEFERRED, **whose).exclude(defer_rule="scheduled")
    return (budgets.filter(defer_rule=rule) if rule else budgets).update(not_before=Now(), updated_at=Now())


def moved(job_id: int, condition: Q, **columns: Any) -> bool:
    """Change a job while the condition still holds."""
    return bool(Job.objects.filter(condition, pk=job_id).update(updated_at=Now(), **columns))


def due_now(job: Job) -> dict[str, Any]:
    """Return the columns of a job that waits from now on."""
    turn = turn_of(job.queue_class, job.user_id)
    return {
        "state": State.WAITING,
        "not_before": None,
        "due_at": Now(),
        "fair_at": turn,
        "defer_reason": "",
        "defer_rule": "",
    }


def not_done(job_id: int, wanted: str) -> Done:
    """Say why nothing was done: somebody was faster, or there is no such job."""
    job = Job.objects.filter(pk=job_id).first()
    if not job:
        return Done(False, f"There is no job {job_id}.")
    if job.state == State.RUNNING and job.cancel_by:
        return Done(False, f"Job {job_id} stops already: {job.cancel_by} asked for it.")
    return Done(False, f"Job {job_id} is {job.get_state_display().lower()} now and was not {wanted}.")
