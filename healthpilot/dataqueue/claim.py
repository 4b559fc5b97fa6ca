"""Which waiting job a worker takes next: whose turn passed long ago, else by priority and fair turn."""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from healthpilot.dataqueue.entries import note
from healthpilot.dataqueue.models import Job

# Whose turn came so long ago goes before every priority, so that low ones are late, never left. The turn
# counts, not the wait: a user's ten thousand old jobs would else come before the first of everybody else.
AGING: Final = "10 minutes"

NEXT: Final = f"""
WITH aged AS (
    SELECT id FROM dataqueue_jobs
    WHERE state = 'waiting' AND queue_class = %(queue_class)s
      AND fair_at < clock_timestamp() - interval '{AGING}'
    ORDER BY fair_at LIMIT 1 FOR UPDATE SKIP LOCKED
), turn AS (
    SELECT id FROM dataqueue_jobs
    WHERE state = 'waiting' AND queue_class = %(queue_class)s AND NOT EXISTS (SELECT FROM aged)
    ORDER BY priority, fair_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE dataqueue_jobs SET state = 'running', token = token + 1, attempt = attempt + 1, stuck = stuck + 1,
    lease_owner = %(owner)s, lease_pid = pg_backend_pid(), leased_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s),
    started_at = coalesce(started_at, clock_timestamp()), updated_at = clock_timestamp(),
    not_before = NULL, defer_reason = '', defer_rule = '', error_code = '', error_message = ''
WHERE id = (SELECT id FROM aged UNION ALL SELECT id FROM turn LIMIT 1)
  AND NOT EXISTS (SELECT FROM dataqueue_pauses WHERE queue_class = %(queue_class)s)
RETURNING id, token
"""


@dataclass(frozen=True)
class Claim:
    """The right to write to a job while its row still has this token."""

    job_id: int
    token: int


def next_job(queue_class: str, *, owner: str) -> tuple[Claim, Job] | None:
    """Take the next job of a class for this process; None where none waits or the class stands still."""
    values: dict[str, Any] = {
        "queue_class": queue_class,
        "owner": owner[:120],
        "lease_s": settings.DATAQUEUE_LEASE_S,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(NEXT, values)
        row = cursor.fetchone()
        if not row:
            return None
        job = Job.objects.get(pk=row[0])
        note(job.pk, "started", f"attempt {job.attempt}", actor=owner)
    return Claim(*row), job
