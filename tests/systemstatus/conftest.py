"""A webhook that leads to a receiver of the test's own."""

from collections.abc import Iterator
from typing import Any

import pytest

from systemstatus.notify import webhook
from telemetry.outbound.client import circuits
from tests.receiver import SECRET, Receiver, receiving


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """The only channel: a signed webhook."""
    circuits.clear()
    webhook.client_for.cache_clear()
    with receiving() as server:
        settings.ALERT_WEBHOOK_URL = server.url
        settings.ALERT_WEBHOOK_SECRET = SECRET
        settings.ALERT_ALLOW_PRIVATE = True
        yield server
    webhook.client_for.cache_clear()
