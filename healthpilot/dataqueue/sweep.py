"""Takes up what dead workers left, releases what is due, and sends the messages that waiting jobs lack."""

import logging
import time
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from healthpilot.dataqueue import messages
from healthpilot.dataqueue.enqueue import TURN
from healthpilot.dataqueue.entries import note
from healthpilot.dataqueue.kinds import registered

logger = logging.getLogger(__name__)

EVERY_S: Final = 15
# Deaths of a worker at one and the same checkpoint after which the job itself is suspected.
POISON_AFTER: Final = 3
MOST_LOST: Final = 100
MOST_RELEASED: Final = 200
LOCK: Final = int.from_bytes(b"hp sweep")
SWEEPER: Final = "sweeper"
_next_at = 0.0

LOST: Final = """
WITH lost AS (
    SELECT id, lease_owner, lease_pid, leased_at FROM dataqueue_jobs
    WHERE state = 'running' AND lease_until < clock_timestamp()
    ORDER BY lease_until LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE dataqueue_jobs job SET
    state = CASE WHEN cancel_by <> '' THEN 'cancelled'
                 WHEN stuck >= %(poison)s OR kind = ANY(%(once)s) THEN 'parked' ELSE 'waiting' END,
    finished_at = CASE WHEN cancel_by <> '' THEN clock_timestamp() END,
    error_code = CASE WHEN cancel_by <> '' THEN '' ELSE 'WorkerLost' END,
    error_message = CASE WHEN cancel_by <> '' THEN ''
        ELSE format('The worker was lost %%s times at the same checkpoint.', stuck) END,
    token = token + 1, lease_owner = '', lease_pid = NULL, leased_at = NULL, lease_until = NULL,
    due_at = clock_timestamp(), fair_at = job.queued_at, updated_at = clock_timestamp()
FROM lost WHERE job.id = lost.id
RETURNING job.id, job.state, job.stuck, lost.lease_owner, lost.lease_pid, lost.leased_at
"""

# The server process of a lost worker may hold locks while its client stands still: what it began is undone.
END: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = %s AND backend_start <= %s AND pid <> pg_backend_pid() AND datname = current_database()
"""

# Turns of one user's jobs stand apart, as they do for new ones, and come after those that wait already: ten
# thousand jobs that are released some at a time would else have as many turns at once.
RELEASE: Final = """
WITH due AS (
    SELECT id, user_id, queue_class, not_before FROM dataqueue_jobs
    WHERE state IN ('deferred', 'failed') AND not_before <= clock_timestamp()
    ORDER BY not_before LIMIT %(most)s FOR UPDATE SKIP LOCKED
), users AS (
    SELECT whose.*, (SELECT max(fair_at) FROM dataqueue_jobs
        WHERE state = 'waiting' AND queue_class = whose.queue_class AND user_id = whose.user_id) AS last
    FROM (SELECT DISTINCT queue_class, user_id FROM due) AS whose
), turns AS (
    SELECT id, not_before, greatest(clock_timestamp(), last + %(turn)s) + %(turn)s
        * (row_number() OVER (PARTITION BY queue_class, user_id ORDER BY not_before, id) - 1) AS fair_at
    FROM due JOIN users USING (queue_class, user_id)
)
UPDATE dataqueue_jobs job SET state = 'waiting', due_at = turns.not_before, not_before = NULL,
    fair_at = turns.fair_at, updated_at = clock_timestamp()
FROM turns WHERE job.id = turns.id RETURNING job.id
"""


@dataclass(frozen=True)
class Swept:
    """What one sweep did: jobs taken up, parked and released, messages sent."""

    taken_up: int = 0
    parked: int = 0
    released: int = 0
    sent: int = 0


def sweep() -> Swept | None:
    """Sweep once; None while another process does."""
    with transaction.atomic():
        if not locked():
            return None
        lost = take_up()
        released = release()
    parked = sum(state == "parked" for _, state in lost)
    return Swept(len(lost) - parked, parked, released, messages.top_up())


def sweep_in_turn() -> None:
    """Sweep when this process has not done so for a whole interval."""
    global _next_at
    if time.monotonic() >= _next_at:
        _next_at = time.monotonic() + EVERY_S
        sweep()


def locked() -> bool:
    """Take the sweeper's lock until the transaction ends, unless another has it."""
    return bool(rows("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])[0][0])


def take_up() -> list[tuple[int, str]]:
    """Let jobs whose lease is over wait again, park those that kill their workers; returns their states."""
    once = [kind.name for kind in registered.values() if not kind.idempotent]
    found = rows(LOST, {"most": MOST_LOST, "poison": POISON_AFTER, "once": once})
    for job_id, state, stuck, owner, pid, leased_at in found:
        if pid is not None:
            rows(END, [pid, leased_at])
        note(
            job_id,
            WHAT[state],
            f"{owner or 'the worker'} gave no sign of life; start {stuck} at this checkpoint",
            actor=SWEEPER,
        )
        logger.warning("Job %s: %s was lost; now %s", job_id, owner, state)
    return [(row[0], row[1]) for row in found]


WHAT: Final = {"waiting": "taken up", "parked": "parked", "cancelled": "cancelled"}


def release() -> int:
    """Let deferred jobs wait whose time has come, some at a time."""
    return len(rows(RELEASE, {"most": MOST_RELEASED, "turn": TURN}))


def rows(sql: str, values: Any) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
