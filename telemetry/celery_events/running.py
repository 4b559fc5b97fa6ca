"""Measures a task in the process that runs it, and records how the attempt ended."""

import signal
import sys
from contextvars import Token
from datetime import UTC, datetime
from typing import Any, Final

from celery import states
from celery.exceptions import Ignore, Retry

from telemetry.attempts import open_attempts
from telemetry.celery_events.plans import Plan, plan_of
from telemetry.celery_events.published import mark_of, queued_at
from telemetry.celery_events.whose import Owner, Publishing, owner_of, publishing
from telemetry.fitting import fitted
from telemetry.intake import count_drop, record
from telemetry.jobs import error_code, no_later_than
from telemetry.measure import Meter

KEPT_IN: Final = "telemetry_attempt"
TERMINATED: Final = "Terminated"
# How billiard leaves a pool's child on a signal; the worker sends one at a hard time limit, for a revocation
# with terminate, and when it ends before its tasks do (SIGQUIT where REMAP_SIGTERM says so).
TERMINATED_EXITS: Final = {-(256 - number) for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)}


class Attempt:
    """One attempt of one task, from its start to its event."""

    __slots__ = ("event", "meter", "slot", "token")

    def __init__(self, event: dict[str, Any], inherit: Owner) -> None:
        self.event = event
        self.slot = open_attempts.begin(event)
        self.token: Token[Publishing] = publishing.set(Publishing({}, inherit))
        self.meter = Meter()
        self.meter.start()

    def end(self, code: str | None) -> None:
        """Record the attempt with its error code, None for success; only then is its slot free."""
        self.meter.stop()
        if code == TERMINATED:
            code = open_attempts.cause(self.slot) or code
        # The start is the one noted in the slot; by it a killed attempt and its event are known for one.
        finished_at = max(datetime.now(UTC), self.event["started_at"])
        ending = {"finished_at": finished_at, "success": code is None, "error_code": code}
        record("job", {**self.event, **ending, **self.meter.figures()})
        open_attempts.end(self.slot)
        try:
            publishing.reset(self.token)
        except ValueError:
            pass  # ended in another context than it began in: nothing is to be put back there


def began(task: Any, args: Any = (), kwargs: Any = None, **details: Any) -> None:
    """Begin to measure a task that is about to run."""
    try:
        if plan := plan_of(task):
            request = task.request
            event, inherit = opening(plan, task, request, args, kwargs)
            setattr(request, KEPT_IN, Attempt(event, inherit))
    except Exception as error:
        count_drop(error)


def ended(task: Any, state: str | None = None, retval: Any = None, **details: Any) -> None:
    """Record a task that just ended, whichever way."""
    attempt = task.request.__dict__.pop(KEPT_IN, None)
    if attempt is None:
        return
    try:
        attempt.end(outcome(state, retval))
    except Exception as error:
        count_drop(error)


def opening(plan: Plan, task: Any, request: Any, args: Any, kwargs: Any) -> tuple[dict[str, Any], Owner]:
    """Return the columns known when an attempt begins, and what its own tasks inherit."""
    stamped = mark_of(request)
    owner, inherit = owner_of(plan, task, stamped, args, kwargs)
    started_at = datetime.now(UTC)
    event = {
        "job_id": fitted(str(request.id), 40) if request.id else None,
        "job_type": plan.job_type,
        **owner,
        "queued_at": no_later_than(started_at, queued_at(request, stamped)),
        "started_at": started_at,
        "attempt": attempt_number(request),
    }
    return event, inherit


def attempt_number(request: Any) -> int:
    """Return which attempt this is: one more than the retries, and one more where it was delivered before."""
    redelivered = bool((request.delivery_info or {}).get("redelivered"))
    return int(request.retries or 0) + 1 + redelivered


def outcome(state: str | None, result: Any) -> str | None:
    """Return the error code of an attempt that ended in this state, None for success.

    Without a state something ended the task that Celery does not handle (SystemExit, or an error of an eager
    task that goes on to its caller); it is on its way up while this runs.
    """
    if state == states.SUCCESS:
        return None
    error = result if isinstance(result, BaseException) else sys.exc_info()[1]
    if error is None:
        return None if state == states.IGNORED else state or "Unknown"
    return code_of(error)


def code_of(error: BaseException) -> str | None:
    """Return an exception's class name; of a retry its cause's, and none for a task that ends by Ignore."""
    if isinstance(error, Ignore):
        return None
    if isinstance(error, SystemExit) and error.code in TERMINATED_EXITS:
        return TERMINATED
    if isinstance(error, Retry) and error.exc is not None:
        return code_of(error.exc)
    # An exception that cannot be pickled is wrapped by Celery; the wrapper knows its name.
    wrapped = getattr(error, "exc_cls_name", None)
    return fitted(wrapped, 64) if isinstance(wrapped, str) else error_code(error)
