"""How a worker lets go of a job that is still its own: done, failed, deferred, cancelled or handed back."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from healthpilot.admission import Verdict
from healthpilot.dataqueue import messages
from healthpilot.dataqueue.claim import Claim
from healthpilot.dataqueue.enqueue import turn_of
from healthpilot.dataqueue.entries import note
from healthpilot.dataqueue.lease import LeaseLostError
from healthpilot.dataqueue.models import Job, State
from healthpilot.dataqueue.redaction import without_secrets

FIRST_PAUSE_S = 10
LONGEST_PAUSE_S = 3600
# A user's jobs deferred to one moment come back one after the other: so much each, for so many at most.
SPREAD_EACH_S = 0.5
SPREAD_MOST = 1200
ONE_START_LESS = Greatest(F("stuck") - 1, Value(0))
LET_GO: dict[str, Any] = {"lease_owner": "", "lease_pid": None, "leased_at": None, "lease_until": None}


def leave(
    claim: Claim, state: State, what: str, detail: str = "", *, actor: str = "", **columns: Any
) -> None:
    """Move the job on and note it, in one transaction. Raises LeaseLostError."""
    with transaction.atomic():
        mine = Job.objects.filter(pk=claim.job_id, token=claim.token, state=State.RUNNING)
        if not mine.update(state=state, updated_at=Now(), **LET_GO, **columns):
            raise LeaseLostError(claim.job_id)
        note(claim.job_id, what, detail, actor=actor)


def succeed(claim: Claim, result: dict[str, Any], *, actor: str) -> None:
    """Finish the job, in the transaction of its last batch."""
    columns: dict[str, Any] = {"result": result, "finished_at": Now(), "stuck": 0, "message": ""}
    leave(claim, State.SUCCEEDED, "succeeded", actor=actor, **columns)


def cancel(claim: Claim, *, by: str) -> None:
    """Stop the job between two batches; what is committed stays."""
    leave(claim, State.CANCELLED, "cancelled", actor=by, finished_at=Now())


def cancel_asked(claim: Claim) -> str:
    """Return who asked meanwhile that the job stop, '' where nobody did."""
    asked = Job.objects.filter(pk=claim.job_id, token=claim.token).values_list("cancel_by", flat=True)
    return asked.first() or ""


def fail(claim: Claim, job: Job, error: BaseException, *, for_good: bool, actor: str) -> None:
    """Let the job be tried again after a pause, or end it when that is of no use any more."""
    if by := cancel_asked(claim):
        cancel(claim, by=by)
        return
    said = " ".join(without_secrets(str(error)).replace("\0", "").split())
    columns: dict[str, Any] = {"error_code": type(error).__name__[:64], "error_message": said[:1000]}
    detail = f"{columns['error_code']}: {said}"
    stuck = Job.objects.values_list("stuck", flat=True).get(pk=claim.job_id)
    if for_good or stuck >= job.max_attempts:
        leave(claim, State.DEAD, "dead", detail, actor=actor, finished_at=Now(), **columns)
        return
    again_at = timezone.now() + timedelta(seconds=pause_s(stuck))
    columns |= {"not_before": again_at, "defer_reason": "Tried again after a failure", "defer_rule": "retry"}
    leave(claim, State.FAILED, "failed", detail, actor=actor, **columns)


def pause_s(failures: int) -> float:
    """Return how long to wait before the next attempt, in seconds: twice as long each time, give or take."""
    pause: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(0, min(failures - 1, 20)))
    return pause * random.uniform(0.75, 1.25)


def defer(claim: Claim, job: Job, verdict: Verdict, *, begun: bool, actor: str) -> None:
    """Put the job off as admission says; before it began that is no attempt."""
    if by := cancel_asked(claim):
        cancel(claim, by=by)
        return
    release_at = verdict.release_at or timezone.now() + timedelta(minutes=1)
    columns: dict[str, Any] = {
        "not_before": spread(release_at, verdict.rule, job.user_id),
        "defer_reason": verdict.reason[:300],
        "defer_rule": verdict.rule[:120],
        "attempt": F("attempt") - (0 if begun else 1),
        "stuck": ONE_START_LESS,
    }
    detail = f"until {release_at:%Y-%m-%d %H:%M} UTC: {verdict.reason}"
    leave(claim, State.DEFERRED, "deferred", detail, actor=actor, **columns)


def spread(release_at: datetime, rule: str, user_id: str) -> datetime:
    """Return a moment after the release, the later the more jobs of this user wait for it.

    So everybody's first comes before anybody's second, also where the cap is full again before all came.
    """
    waiting = Job.objects.filter(state=State.DEFERRED, defer_rule=rule[:120], not_before__gte=release_at)
    place: int = waiting.filter(user_id=user_id)[:SPREAD_MOST].count()
    return release_at + timedelta(seconds=SPREAD_EACH_S * (place + random.random()))


def hand_back(claim: Claim, job: Job, why: str, *, actor: str) -> None:
    """Let others have a turn; the job goes on from its checkpoint when it is its turn again."""
    turn = turn_of(job.queue_class, job.user_id)
    columns: dict[str, Any] = {"due_at": Now(), "fair_at": turn, "stuck": ONE_START_LESS}
    with transaction.atomic():
        leave(claim, State.WAITING, "handed back", why, actor=actor, **columns)
        messages.send_on_commit(job.queue_class, job.pk)
