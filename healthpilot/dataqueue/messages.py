"""Celery messages: each is a token that lets a worker take one job of its class; which one PostgreSQL says.

So a message that is lost is made anew by counting, and one too many finds nothing to take: both do no harm.
"""

import logging
import time

from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from healthpilot.dataqueue.models import Job, QueueClass, State

logger = logging.getLogger(__name__)

TASK = "dataqueue.run"
PAUSE_S = 5.0
MOST_AT_ONCE = 200
NO_BROKER = (KombuError, OperationalError, RedisError, OSError)
_retry_at = 0.0


def send_on_commit(queue_class: str, job_id: int) -> None:
    """Send a job's message once the transaction that made it wait is committed."""
    transaction.on_commit(lambda: send(queue_class, job_id), robust=True)


def send(queue_class: str, job_id: int) -> bool:
    """Send one message; where the broker is away the sweeper does it later."""
    global _retry_at
    if time.monotonic() < _retry_at:
        return False
    try:
        current_app.send_task(TASK, (str(job_id),), queue=queue_class, retry=False, ignore_result=True)
    except NO_BROKER as error:
        _retry_at = time.monotonic() + PAUSE_S
        logger.warning("The broker does not answer (%s); the sweeper sends what waits later", error)
        return False
    return True


def queue_length(queue_class: str) -> int:
    """Return how many messages a class's queue holds. Raises one of NO_BROKER."""
    with current_app.connection_for_read() as broker, broker.channel() as channel:
        return int(channel._size(queue_class))


def top_up() -> int:
    """Send the messages that waiting jobs lack, some at a time; returns how many were sent."""
    return sum(top_up_class(queue_class) for queue_class in QueueClass.values)


def top_up_class(queue_class: str) -> int:
    """Send one class's missing messages, for the jobs next in turn."""
    waiting = Job.objects.filter(state=State.WAITING, queue_class=queue_class)
    ids = list(waiting.order_by("priority", "fair_at", "id").values_list("id", flat=True)[:MOST_AT_ONCE])
    if not ids or is_paused(queue_class):
        return 0
    try:
        lacking = ids[queue_length(queue_class) :]
    except NO_BROKER as error:
        logger.warning("The broker does not answer (%s); jobs of %s wait", error, queue_class)
        return 0
    return sum(send(queue_class, job_id) for job_id in lacking)


def is_paused(queue_class: str) -> bool:
    """Say whether a class stands still."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM dataqueue_pauses WHERE queue_class = %s", [queue_class])
        return bool(cursor.rowcount)
