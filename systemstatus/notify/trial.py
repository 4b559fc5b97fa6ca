"""Sends one signed test message by the webhook and says what came back: at once, or as a job."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from systemstatus.audit import record_audit
from systemstatus.models import Notification
from systemstatus.notify import channels, words
from systemstatus.notify.channels import DeliveryError, Message

# A program waits for its answer in the request, so not for long; a job may wait as long as an alert would.
REQUEST_LIMIT_S: Final = 5.0
JOB_LIMIT_S: Final = 12.0
NOT_SET: Final = "No webhook is set: give ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET, and start again."


class NotConfiguredError(Exception):
    """There is no webhook to test."""


@dataclass(frozen=True)
class Tried:
    """How a test went: the message's id, and what the receiver answered or what stood in the way."""

    message_id: str
    is_delivered: bool
    said: str


def is_configured() -> bool:
    """Say whether there is a webhook to test."""
    return "webhook" in channels.configured()


def send_test(*, actor: str, now: datetime, limit_s: float = REQUEST_LIMIT_S) -> Tried:
    """Send a test message, kept in the log of messages and audited; raises NotConfiguredError."""
    return attempt(draft(actor=actor, now=now), actor=actor, now=now, limit_s=limit_s)


def draft(*, actor: str, now: datetime, stem: str = "") -> Notification:
    """Keep a test message that is about to be sent; the same stem is the same message.

    Raises NotConfiguredError.
    """
    if not is_configured():
        raise NotConfiguredError(NOT_SET)
    content = {
        "type": "alert.test",
        "timestamp": words.iso(now),
        "data": {"title": f"Test alert, sent by {actor}", "text": "Nothing is wrong: this is a test."},
    }
    row, _ = Notification.objects.get_or_create(
        message_id=f"msg_test_{stem or uuid.uuid4().hex}",
        defaults={
            "notice": uuid.uuid4(),
            "kind": Notification.Kind.TEST,
            "channel": "webhook",
            "state": Notification.State.GIVEN_UP,
            "error": "not ended",
            "body": content,
            "next_at": now,
            "first_due_at": now,
        },
    )
    return row


def attempt(row: Notification, *, actor: str, now: datetime, limit_s: float) -> Tried:
    """Send a message that was kept, for so long at most, and keep how it went; raises NotConfiguredError."""
    channel = channels.configured().get("webhook")
    if channel is None:
        raise NotConfiguredError(NOT_SET)
    try:
        said = channels.deliver(channel, Message(row.message_id, row.kind, row.body or {}), limit_s=limit_s)
    except DeliveryError as error:
        return noted(row, actor, now, is_delivered=False, said=str(error))
    return noted(row, actor, now, is_delivered=True, said=said)


def noted(row: Notification, actor: str, now: datetime, *, is_delivered: bool, said: str) -> Tried:
    """Keep how it went."""
    state = Notification.State.SENT if is_delivered else Notification.State.GIVEN_UP
    Notification.objects.filter(pk=row.pk).update(
        state=state,
        attempts=1,
        sent_at=now if is_delivered else None,
        error="" if is_delivered else said[:500],
    )
    record_audit(actor=actor, action="alert.test", target="webhook", after={"said": said})
    return Tried(row.message_id, is_delivered, said)
