"""Tells of attempts that end outside the process they run in: time limits, revocations."""

from datetime import UTC, datetime
from typing import Any

from celery.exceptions import TimeLimitExceeded

from telemetry.attempts import explain
from telemetry.celery_events.plans import plan_of
from telemetry.celery_events.running import TERMINATED, opening
from telemetry.drops import drops
from telemetry.fitting import fitted
from telemetry.intake import count_drop, record

EXPIRED = "Expired"
REVOKED = "TaskRevokedError"


def failed(task_id: str = "", exception: Any = None, **details: Any) -> None:
    """Note why a child is about to be killed: the worker says so just before it does.

    The attempt itself is told by what it noted when it began, as after every kill, and so only once.
    """
    if isinstance(exception, TimeLimitExceeded):
        note(task_id, type(exception).__name__)


def revoked(
    sender: Any, request: Any = None, terminated: bool = False, expired: bool = False, **details: Any
) -> None:
    """Record a task that was revoked or expired before it began; one that is terminated noted its start."""
    try:
        if terminated:
            note(request.id, TERMINATED)
        elif plan := plan_of(sender):
            event, _ = opening(plan, sender, request, request.args or (), request.kwargs or {})
            now = event.pop("started_at")
            waited = now - event["queued_at"] if event["queued_at"] else None
            event |= {"created_at": datetime.now(UTC), "duration_ms": 0, "success": False}
            event["error_code"] = EXPIRED if expired else REVOKED
            event["queue_wait_ms"] = round(waited.total_seconds() * 1000) if waited is not None else None
            record("job", event)
    except Exception as error:
        count_drop(error)


def note(task_id: str, cause: str) -> None:
    try:
        explain(fitted(task_id, 40), cause)
    except Exception as error:
        drops.warn("the cause of a killed attempt is not known", str(error))
