"""Holding a job while it is worked on: a lease in time and a token, so that a stale worker writes nothing."""

import json
from typing import Any, Final

from django.conf import settings
from django.db import connection

from healthpilot.dataqueue.claim import Claim
from healthpilot.dataqueue.work import Step

MINE: Final = "id = %(job_id)s AND token = %(token)s AND state = 'running'"
RENEWED: Final = "lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)"


class LeaseLostError(Exception):
    """Another worker or a person took the job over; nothing of the batch was written."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"job {job_id} was taken over while this worker stood still: nothing written")


def advance(claim: Claim, step: Step) -> str:
    """Commit a step together with the batch's own writes, in their transaction; returns who asked to cancel.

    The row is locked from here to the commit, and what takes a job over waits for it and then looks again.

    Raises:
        LeaseLostError: the job is somebody else's by now, and the caller's transaction must be undone.
    """
    values = values_of(claim) | {
        "done": step.done,
        "total": step.total,
        "unit": step.unit[:20],
        "message": step.message[:200],
        "checkpoint": json.dumps(step.checkpoint),
    }
    row = one(
        f"""
        UPDATE dataqueue_jobs SET done = %(done)s, total = %(total)s, unit = %(unit)s, message = %(message)s,
            checkpoint = %(checkpoint)s::jsonb, stuck = 1, {RENEWED}, updated_at = clock_timestamp()
        WHERE {MINE} RETURNING cancel_by
        """,
        values,
    )
    if row is None:
        raise LeaseLostError(claim.job_id)
    return str(row[0])


def renew(claim: Claim) -> bool:
    """Prolong the lease; returns False when the job is not ours any more."""
    return one(f"UPDATE dataqueue_jobs SET {RENEWED} WHERE {MINE} RETURNING id", values_of(claim)) is not None


def values_of(claim: Claim) -> dict[str, Any]:
    return {"job_id": claim.job_id, "token": claim.token, "lease_s": settings.DATAQUEUE_LEASE_S}


def one(sql: str, values: dict[str, Any]) -> tuple[Any, ...] | None:
    """Run a statement and return its first row."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
