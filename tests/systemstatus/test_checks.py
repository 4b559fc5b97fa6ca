"""System checks: a channel that could never deliver is found at the start, with a mend."""

from typing import Any

import pytest

from systemstatus.checks import check_channels
from tests.receiver import SECRET


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({}, []),
        ({"ALERT_WEBHOOK_URL": "https://example.com/x", "ALERT_WEBHOOK_SECRET": SECRET}, []),
        ({"ALERT_WEBHOOK_URL": "https://example.com/x"}, ["E002"]),
        ({"ALERT_WEBHOOK_URL": "http://127.0.0.1/x", "ALERT_WEBHOOK_SECRET": SECRET}, ["E001"]),
        ({"ALERT_WEBHOOK_URL": "gopher://x", "ALERT_WEBHOOK_SECRET": "whsec_short"}, ["E001", "E002"]),
        ({"ALERT_APPRISE_URLS": ["file:///etc/passwd", "slack://x"]}, ["E003", "E003"]),
        ({"ALERT_EMAIL_TO": ["nobody"]}, ["E004"]),
        ({"ALERT_WATCHDOG_CHANNELS": ["pigeon"]}, ["W001"]),
    ],
)
def test_each_fault_has_an_id_and_a_hint(settings: Any, given: dict[str, Any], ids: list[str]) -> None:
    for name, value in given.items():
        setattr(settings, name, value)
    found = check_channels(None)
    assert [message.id for message in found] == [f"systemstatus.{one}" for one in ids]
    assert all(message.hint for message in found)
