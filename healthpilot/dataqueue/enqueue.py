"""Puts a job into the queue and returns its id at once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Value
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from healthpilot.dataqueue import messages
from healthpilot.dataqueue.entries import note
from healthpilot.dataqueue.kinds import Kind, PayloadError, kind_named
from healthpilot.dataqueue.models import OPEN, Job, QueueClass, State
from telemetry.events import EVENT_KINDS
from telemetry.fields import InvalidEvent

MOST_PAYLOAD_BYTES = 64 * 1024
USUAL_PRIORITY = 50
PRIORITIES = (0, 99)
# Between two turns of one user; a worker that does less than a job in so long serves users in turn.
TURN = timedelta(seconds=10)
SCHEDULED = "scheduled"
ROUNDS = 5


class EnqueueError(ValueError):
    """The job cannot be put into the queue; the text names what is wrong."""


def enqueue(
    kind: str,
    payload: dict[str, Any] | None = None,
    *,
    tier: str,
    user_id: str,
    domain: str,
    priority: int | None = None,
    not_before: datetime | None = None,
    unique_key: str | None = None,
    actor: str = "",
) -> int:
    """Store a job in the caller's transaction and return its id; a worker hears of it on commit.

    Args:
        kind: a registered kind. payload: what it is asked to do, at most 64 KiB of JSON, without secrets.
        tier, user_id, domain: whose work it is, as telemetry records it.
        priority: 0 (first) to 99; 50 unless given.
        not_before: an aware time before which it does not run.
        unique_key: while a job with this key is open, its id is returned and nothing is stored.
        actor: who asked for it.

    Raises:
        UnknownKindError, PayloadError, EnqueueError: nothing is stored then.
    """
    wanted = kind_named(kind)
    body = body_of(wanted, payload or {})
    refuse_bad(kind, tier, user_id, domain, priority, not_before, unique_key)
    for _ in range(ROUNDS):
        if unique_key and (there := open_job(unique_key)):
            return there
        job = draft(wanted, body, tier, user_id, domain, priority, not_before, unique_key, actor)
        try:
            with transaction.atomic():
                job.save(force_insert=True)
                note(job.pk, "queued", why(job), actor=actor)
        except IntegrityError:
            # Another caller stored the key first; if its job has ended since, ours is stored after all.
            if not unique_key:
                raise
            continue
        if job.state == State.WAITING:
            messages.send_on_commit(job.queue_class, job.pk)
        return int(job.pk)
    raise EnqueueError(f"unique_key {unique_key!r} is taken and freed again and again: try again")


def body_of(kind: Kind, payload: Any) -> dict[str, Any]:
    """Return the payload as it is stored. Raises PayloadError."""
    body: dict[str, Any] = kind.parsed(payload).model_dump(mode="json")
    text = json.dumps(body)
    if len(text) > MOST_PAYLOAD_BYTES:
        raise PayloadError(
            f"{kind.name}: the payload takes {len(text):,} bytes; at most {MOST_PAYLOAD_BYTES:,} are kept."
            " Keep the data in a file or table, and its id here."
        )
    if "\\u0000" in text:
        raise PayloadError(f"{kind.name}: the payload holds a NUL character")
    return body


def refuse_bad(
    kind: str,
    tier: str,
    user_id: str,
    domain: str,
    priority: int | None,
    not_before: datetime | None,
    unique_key: str | None,
) -> None:
    """Raise EnqueueError for what no job can have; what telemetry would refuse of it is refused here."""
    now = datetime.now(UTC)
    whose = {"tier": tier, "user_id": user_id, "domain": domain}
    try:
        EVENT_KINDS["job"].clean({"job_type": kind, "success": True, "created_at": now, **whose}, now=now)
    except InvalidEvent as error:
        raise EnqueueError(f"{kind}: {error.reason}") from None
    if priority is not None and not PRIORITIES[0] <= priority <= PRIORITIES[1]:
        raise EnqueueError(f"{kind}: priority={priority} is not within {PRIORITIES[0]} to {PRIORITIES[1]}")
    if not_before is not None and not_before.tzinfo is None:
        raise EnqueueError(f"{kind}: not_before={not_before} has no time zone")
    if unique_key is not None and not 0 < len(unique_key) <= 120:
        raise EnqueueError(f"{kind}: a unique_key has 1 to 120 characters")


def open_job(unique_key: str) -> int | None:
    """Return the job that stands for a key now."""
    found = Job.objects.filter(unique_key=unique_key, state__in=OPEN)
    return found.values_list("id", flat=True).first()


def draft(
    kind: Kind,
    body: dict[str, Any],
    tier: str,
    user_id: str,
    domain: str,
    priority: int | None,
    not_before: datetime | None,
    unique_key: str | None,
    actor: str,
) -> Job:
    """Return the row of a new job, not yet stored."""
    queue_class = kind.queue or class_of(tier)
    job = Job(
        kind=kind.name,
        payload=body,
        tier=tier,
        user_id=user_id,
        domain=domain,
        queue_class=queue_class,
        priority=USUAL_PRIORITY if priority is None else priority,
        state=State.WAITING,
        unique_key=unique_key,
        max_attempts=kind.max_attempts,
        actor=actor[:80],
    )
    if not_before is not None and not_before > timezone.now():
        job.state, job.not_before, job.due_at = State.DEFERRED, not_before, not_before
        job.defer_reason, job.defer_rule = "Scheduled for then", SCHEDULED
    else:
        job.fair_at = turn_of(queue_class, user_id)
    return job


def class_of(tier: str) -> QueueClass:
    """Return the class of a tier's jobs; the first of TIERS is the one that does not pay."""
    return QueueClass.PAID if tier in settings.TIERS[1:] else QueueClass.FREE


def turn_of(queue_class: str, user_id: str) -> Any:
    """Return the expression of a user's next turn: now, or after those that wait already."""
    waiting = Job.objects.filter(state=State.WAITING, queue_class=queue_class, user_id=user_id)
    last = waiting.aggregate(last=Max("fair_at"))["last"]
    return Greatest(Now(), Value(last + TURN)) if last else Now()


def why(job: Job) -> str:
    """Return what the first entry says."""
    if job.state == State.DEFERRED:
        return f"{job.queue_class}, not before {job.not_before:%Y-%m-%d %H:%M:%S} UTC"
    return str(job.queue_class)
