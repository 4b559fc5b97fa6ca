"""Empties the outbox: claims a message, sends it, marks it; whatever dies between, the same id goes again."""

import logging
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from systemstatus.models import Notification
from systemstatus.notify import channels, words
from systemstatus.notify.channels import DeliveryError, Message

logger = logging.getLogger(__name__)

CLAIM: Final = timedelta(seconds=60)
FIRST_RETRY_S: Final = 30.0
LONGEST_RETRY_S: Final = 6 * 3600.0
GIVE_UP_AFTER: Final = timedelta(days=3)
TURN_S: Final = 25.0


@dataclass
class Turn:
    """What one turn of the sender did."""

    sent: int = 0
    failed: list[str] = field(default_factory=list)
    given_up: int = 0


def send_due(now: datetime | None = None, *, limit_s: float = TURN_S) -> Turn:
    """Send what is due, for limit_s seconds at most; a channel that failed is left alone for this turn.

    Safe side by side: a row is claimed under SKIP LOCKED, and the claim ends by itself when a sender dies.
    """
    turn, until = Turn(), time.monotonic() + limit_s
    while time.monotonic() < until:
        moment = now or datetime.now(UTC)
        row = claim(moment, without=turn.failed)
        if row is None:
            break
        attempt(row, moment, turn)
    return turn


def claim(now: datetime, *, without: list[str]) -> Notification | None:
    """Take the message that is due longest and fix its content; both are stored before it is sent.

    A row that seems made in the future was made before the clock was set back: it is due.
    """
    with transaction.atomic():
        due = Notification.objects.select_for_update(skip_locked=True).filter(
            Q(next_at__lte=now) | Q(created_at__gt=now),
            Q(claimed_until=None) | Q(claimed_until__lte=now) | Q(claimed_until__gt=now + 2 * CLAIM),
            state=Notification.State.WAITING,
        )
        row = due.exclude(channel__in=without).order_by("next_at", "id").first()
        if row is None:
            return None
        row.body = row.body or words.compose(row, now)
        row.attempts += 1
        row.claimed_until = now + CLAIM
        row.save(update_fields=["body", "attempts", "claimed_until"])
    return row


def attempt(row: Notification, now: datetime, turn: Turn) -> None:
    """Send one claimed message and mark what came of it."""
    channel = channels.configured().get(row.channel)
    try:
        if channel is None:
            raise DeliveryError(f"{row.channel} is no longer configured")  # noqa: TRY301 - one way out
        channels.deliver(channel, Message(row.message_id, row.kind, row.body or {}))
    except DeliveryError as error:
        turn.failed.append(row.channel)
        turn.given_up += put_off(row, now, str(error))
        logger.warning("Message %s by %s did not go out: %s", row.message_id, row.channel, error)
    else:
        turn.sent += 1
        mark(row, state=Notification.State.SENT, sent_at=now, error="")


def put_off(row: Notification, now: datetime, error: str) -> bool:
    """Try again later, or give up after three days; returns whether it was given up."""
    if now - row.first_due_at >= GIVE_UP_AFTER:
        mark(row, state=Notification.State.GIVEN_UP, error=error[:500])
        return True
    mark(row, next_at=now + timedelta(seconds=wait_s(row.attempts)), error=error[:500])
    return False


def wait_s(attempts: int) -> float:
    """Return how long to wait: doubled with each attempt, up to six hours, half of it jitter."""
    longest = min(FIRST_RETRY_S * 2.0 ** min(attempts - 1, 30), LONGEST_RETRY_S)
    return longest * random.uniform(0.5, 1.0)


def mark(row: Notification, **fields: object) -> None:
    """Store what came of a claim, unless the claim ran out and another sender took the row."""
    mine = Notification.objects.filter(
        pk=row.pk, claimed_until=row.claimed_until, state=Notification.State.WAITING
    )
    mine.update(claimed_until=None, updated_at=datetime.now(UTC), **fields)
