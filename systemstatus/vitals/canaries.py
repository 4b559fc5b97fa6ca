"""Canaries: a message through each queue of the broker each minute, timed from sending to its answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from celery import current_app
from django.db import connection

TASK: Final = "systemstatus.canary"
# A message that was lost with Redis is sent anew after so long; one of ten minutes ago tells nothing.
AGAIN_S: Final = 120.0
EXPIRES_S: Final = 600

READ: Final = """
SELECT queue, number, sent_at, answered_at, waiting_since IS NOT NULL AS waits, round_trip_s,
    extract(epoch FROM clock_timestamp() - waiting_since)::float8 AS waiting_s,
    extract(epoch FROM clock_timestamp() - sent_at)::float8 AS sent_s
FROM status_canaries WHERE queue = ANY(%s)
"""
SEND: Final = """
INSERT INTO status_canaries AS known (queue, number, sent_at, waiting_since)
VALUES (%s, 1, clock_timestamp(), clock_timestamp())
ON CONFLICT (queue) DO UPDATE SET number = known.number + 1, sent_at = clock_timestamp(),
    waiting_since = coalesce(known.waiting_since, clock_timestamp()), updated_at = clock_timestamp()
RETURNING number
"""
ANSWER: Final = """
UPDATE status_canaries SET answered_at = clock_timestamp(), updated_at = clock_timestamp(),
    round_trip_s = extract(epoch FROM clock_timestamp() - waiting_since), waiting_since = NULL
WHERE queue = %s AND number >= %s AND waiting_since IS NOT NULL
"""


@dataclass(frozen=True)
class Standing:
    """How one queue's canary stands; seconds: its last round trip, or how long it waits if that is longer."""

    queue: str
    number: int
    sent_at: datetime | None
    answered_at: datetime | None
    waits: bool
    round_trip_s: float | None
    waiting_s: float | None
    sent_s: float | None

    @property
    def seconds(self) -> float | None:
        return self.waiting_s if self.waits else self.round_trip_s

    @property
    def is_due(self) -> bool:
        """Say whether another one is to be sent: the last was answered, or seems lost."""
        return not self.waits or (self.sent_s or 0) > AGAIN_S


def queues() -> list[str]:
    """Return the queues of the broker that tasks are sent to."""
    return sorted(current_app.conf.task_queues or [current_app.conf.task_default_queue])


def standings(names: Iterable[str]) -> list[Standing]:
    """Return how the canaries of queues stand; of those that never had one nothing."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [list(names)])
        return [Standing(*row) for row in cursor.fetchall()]


def send(queue: str) -> None:
    """Send a canary through a queue. It counts as waiting also where the broker does not take it.

    Raises:
        Exception: whatever the broker's client raises.
    """
    with connection.cursor() as cursor:
        cursor.execute(SEND, [queue])
        (number,) = cursor.fetchone()
    current_app.send_task(
        TASK, (queue, number), queue=queue, expires=EXPIRES_S, retry=False, ignore_result=True
    )


def answer(queue: str, number: int) -> None:
    """Note that a canary arrived in a worker, whichever of those that wait it was."""
    with connection.cursor() as cursor:
        cursor.execute(ANSWER, [queue, number])
