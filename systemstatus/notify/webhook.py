"""The signed webhook: Standard Webhooks, so that receivers verify with the library of their language."""

import json
from datetime import UTC, datetime
from functools import lru_cache

from django.conf import settings
from standardwebhooks.webhooks import Webhook

from systemstatus.notify.channels import Message
from telemetry import outbound

LIMIT_S = 10


def deliver(message: Message) -> str:
    """Send one signed request; raises OutboundError, CircuitOpenError or ForbiddenAddressError."""
    payload = json.dumps(message.body, separators=(",", ":"), ensure_ascii=False)
    now = datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(settings.ALERT_WEBHOOK_SECRET).sign(message.id, now, payload),
    }
    client = client_for(settings.ALERT_ALLOW_PRIVATE)
    answer = client.request(
        "POST", settings.ALERT_WEBHOOK_URL, content=payload.encode(), headers=headers, may_repeat=False
    )
    return f"answered {answer.status_code}"


@lru_cache
def client_for(allows_private: bool) -> outbound.Client:
    """Return this process's client; the outbox tries again, so a client that did would try too often."""
    return outbound.Client("webhook", limit_s=LIMIT_S, is_guarded=True, allows_private=allows_private)
