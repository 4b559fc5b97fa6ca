"""Runs one job: admission, then batch after batch, each committed with its checkpoint under the token."""

import logging
import os
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.db import DatabaseError, connection, transaction

from healthpilot import admission
from healthpilot.admission import Spent, Verdict
from healthpilot.dataqueue import claim as claims
from healthpilot.dataqueue import lease, outcomes, shutdown
from healthpilot.dataqueue.claim import Claim
from healthpilot.dataqueue.heartbeat import Heartbeat
from healthpilot.dataqueue.kinds import Kind, PayloadError, UnknownKindError, kind_named
from healthpilot.dataqueue.lease import LeaseLostError
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.redaction import without_secrets
from healthpilot.dataqueue.work import JobRefusedError, Step, Work
from telemetry.record import with_job_telemetry

logger = logging.getLogger(__name__)

# Longer work is handed back and goes on in its next turn: below Celery's limit for a task.
SLICE_S = 600.0
# A budget's reservation does not last for ever, so long work asks again.
ASK_AGAIN_S = 60.0
HOPELESS = (JobRefusedError, PayloadError, UnknownKindError)


def run_next(queue_class: str, *, owner: str = "") -> int | None:
    """Take the next job of a class and run it as far as it goes; returns its id, None where none waits."""
    owner = owner or f"{socket.gethostname()}:{os.getpid()}"
    taken = claims.next_job(queue_class, owner=owner)
    if not taken:
        return None
    claim, job = taken
    try:
        Run(claim, job, owner).go()
    except LeaseLostError as error:
        logger.warning("%s", error)
    return job.pk


class Run:
    """One attempt of a job in this process, from its claim until it lets go."""

    def __init__(self, claim: Claim, job: Job, owner: str) -> None:
        self.claim, self.job, self.owner = claim, job, owner
        self.began = time.monotonic()
        self.why_back = ""

    def go(self) -> None:
        """Run the job and leave it in the state it came to. Raises LeaseLostError."""
        try:
            kind = kind_named(self.job.kind)
            work = work_of(self.job, kind)
            with Budget(kind, work) as budget:
                verdict = budget.ask()
                put_off = self.attempt(kind, work, budget) if verdict else verdict
            if put_off is not None:
                outcomes.defer(self.claim, self.job, put_off, begun=bool(verdict), actor=self.owner)
        except LeaseLostError:
            raise
        except Exception as error:
            trace = without_secrets(traceback.format_exc())
            logger.error("Job %s (%s) failed: %s", self.job.pk, self.job.kind, trace)  # noqa: TRY400 - it holds the trace
            self.fail(error)
        except BaseException:
            with suppress(Exception):
                outcomes.hand_back(self.claim, self.job, "the worker was stopped", actor=self.owner)
            raise

    def attempt(self, kind: Kind, work: Work, budget: "Budget") -> Verdict | None:
        """Do the batches, recorded as one attempt; returns the verdict that puts the rest off."""
        recorded = with_job_telemetry(kind.name, context_of(work))
        with recorded, Heartbeat(self.claim, timeout_s=kind.timeout_s) as beat:
            work.say = beat.say
            steps = kind.steps(work)
            try:
                while self.goes_on(steps, work, beat):
                    put_off = budget.ask_again()
                    if put_off is not None:
                        return put_off
            finally:
                close(steps)
        return None

    def goes_on(self, steps: Iterator[Step], work: Work, beat: Heartbeat) -> bool:
        """Do one batch and commit it; returns whether another follows now."""
        beat.begin_batch()
        if beat.lost:
            raise LeaseLostError(self.claim.job_id)
        with transaction.atomic():
            step = next(steps, None)
            if step is None:
                outcomes.succeed(self.claim, work.result, actor=self.owner)
                return False
            cancel_by = lease.advance(self.claim, step)
        beat.say(step)
        if cancel_by:
            outcomes.cancel(self.claim, by=cancel_by)
            return False
        if why := self.why_stop():
            outcomes.hand_back(self.claim, self.job, why, actor=self.owner)
            return False
        return True

    def why_stop(self) -> str:
        """Return why the job should go on elsewhere or later, '' where it should go on here."""
        if shutdown.is_near():
            return "the worker is being stopped"
        if time.monotonic() - self.began > SLICE_S:
            return "ten minutes were over: others have their turn"
        return ""

    def fail(self, error: Exception) -> None:
        """Write the failure down; where the database does not even take that, the lease runs out."""
        if isinstance(error, DatabaseError):
            connection.close()
        try:
            outcomes.fail(self.claim, self.job, error, for_good=isinstance(error, HOPELESS), actor=self.owner)
        except DatabaseError:
            logger.exception("Job %s: its failure could not be kept; the sweeper takes it up", self.job.pk)


class Budget:
    """What admission set aside for one attempt: asked before it and every minute, settled at each end."""

    def __init__(self, kind: Kind, work: Work) -> None:
        self.kind, self.work = kind, work
        self.verdict: Verdict | None = None

    def __enter__(self) -> "Budget":
        return self

    def __exit__(self, *error: object) -> None:
        self.settle()

    def ask_again(self) -> Verdict | None:
        """Settle and ask for the rest when the last answer is a minute old; returns a verdict against it."""
        if not self.verdict or time.monotonic() - self.asked_at < ASK_AGAIN_S:
            return None
        self.settle()
        verdict = self.ask(is_continuation=True)
        return None if verdict else verdict

    def ask(self, *, is_continuation: bool = False) -> Verdict:
        """Ask; a hook that fails puts the work off rather than letting it spend."""
        if not self.kind.asks:
            return Verdict()
        question = replace(self.kind.ask(self.work), is_job=not is_continuation)
        try:
            verdict = admission.admit(question)
        except Exception as error:
            logger.exception("Admission of job %s could not be asked", self.work.id)
            reason = f"The budgets could not be asked ({type(error).__name__}); asked again in a minute"
            return Verdict(action="defer", reason=reason, rule="admission-failed")
        if verdict:
            self.verdict, self.work.downgraded = verdict, verdict.action == "downgrade"
            self.asked_at, self.cpu_ms = time.monotonic(), cpu_ms()
            self.tokens = dict(self.work.tokens)
        return verdict

    def settle(self) -> None:
        """Tell what was really used since the last question."""
        if not self.verdict:
            return
        spent: dict[str, Any] = {
            name: amount - self.tokens[name] for name, amount in self.work.tokens.items()
        }
        verdict, self.verdict = self.verdict, None
        try:
            admission.settle(verdict, Spent(cpu_ms=cpu_ms() - self.cpu_ms, **spent))
        except Exception:  # the work is done; it is not undone because what it used could not be noted
            logger.exception("What job %s used could not be settled", self.work.id)


def cpu_ms() -> int:
    """Return the CPU time of this thread in milliseconds."""
    return time.thread_time_ns() // 1_000_000


def work_of(job: Job, kind: Kind) -> Work:
    """Return the job as its handler sees it."""
    shared = ("id", "kind", "payload", "tier", "user_id", "domain", "attempt", "checkpoint", "due_at")
    values = {name: getattr(job, name) for name in shared}
    return Work(**values, batch_size=kind.batch_size, result=job.result or {})


def context_of(work: Work) -> dict[str, object]:
    """Return what telemetry is told: the wait counts from when the job was due."""
    return {
        "user_id": work.user_id,
        "tier": work.tier,
        "domain": work.domain,
        "job_id": work.job_id,
        "queued_at": work.due_at,
        "attempt": work.attempt,
    }


def close(steps: Iterator[Step]) -> None:
    """Let a handler that was left in the middle clean up; its trouble with that is logged."""
    try:
        getattr(steps, "close", lambda: None)()
    except Exception:  # how the job ended is decided already, whatever its handler's own code raises now
        logger.exception("A handler could not clean up")
