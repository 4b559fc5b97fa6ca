"""The stamp of a message, as it is sent and as it is read."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from telemetry.celery_events.published import moment, queued_at, stamp

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def request(**known: Any) -> Any:
    return SimpleNamespace(**{"properties": None, "eta": None, **known})


def test_a_message_gets_the_time_it_is_sent_and_keeps_what_is_not_ours() -> None:
    headers: dict[str, Any] = {"id": "1", "telemetry": {"user_id": "u1", "color": "red"}}
    before = datetime.now(UTC)
    stamp(headers=headers)
    assert before <= datetime.fromisoformat(headers["telemetry"].pop("queued_at")) <= datetime.now(UTC)
    assert headers == {"id": "1", "telemetry": {"user_id": "u1"}}


def test_a_retry_is_stamped_anew() -> None:
    headers: dict[str, Any] = {"telemetry": {"queued_at": "2020-01-01T00:00:00+00:00"}}
    stamp(headers=headers)
    assert not headers["telemetry"]["queued_at"].startswith("2020")


def test_publishing_goes_on_whatever_the_headers_are() -> None:
    for odd in (None, 7, "x"):
        stamp(headers=odd)


def test_the_wait_begins_when_it_is_sent_or_due_whichever_is_later() -> None:
    sent = {"queued_at": NOON.isoformat()}
    due = (NOON + timedelta(hours=1)).isoformat()
    assert queued_at(request(), sent) == NOON
    assert queued_at(request(eta=due), sent) == NOON + timedelta(hours=1)
    assert queued_at(request(eta="2020-01-01T00:00:00+00:00"), sent) == NOON


def test_a_publisher_without_telemetry_is_dated_by_the_broker_or_the_eta_or_not_at_all() -> None:
    assert queued_at(request(properties={"timestamp": NOON.timestamp()}), {}) == NOON
    assert queued_at(request(eta=NOON.isoformat()), {}) == NOON
    assert queued_at(request(), {}) is None


@pytest.mark.parametrize("garbage", [None, "", "soon", True, [], {}, 1e300, float("nan"), float("inf")])
def test_garbage_is_no_moment(garbage: Any) -> None:
    assert moment(garbage) is None
