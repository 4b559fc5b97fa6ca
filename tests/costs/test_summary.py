"""The weekly summary: once, on time, whole where it can be, the same in text and HTML."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from costs.models import CostDay
from costs.summary import queue_due, week
from systemstatus.models import Notification
from systemstatus.notify import sender
from tests.costs.factories import make_breakdown, make_global_day, make_user_day

pytestmark = pytest.mark.django_db
FIRST = date(2026, 5, 4)
DUE = datetime(2026, 5, 11, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def to_ops(settings: Any) -> None:
    settings.ALERT_EMAIL_TO = ["ops@example.com"]
    settings.COST_TIMEZONE = "UTC"


def a_week(*, closed: int = 7, cost: str = "10") -> None:
    for n in range(7):
        day = FIRST + timedelta(days=n)
        make_global_day(day - timedelta(days=7), "8")
        make_global_day(day, cost, jobs=3, ai_calls=5)
        make_user_day(day, "<i>ann</i>", "6")
        make_user_day(day, "bob", "4")
        make_breakdown(day, "tier", "pro", cost)
    CostDay.objects.filter(date__lt=FIRST + timedelta(days=closed)).update(closed_at=timezone.now())


def test_it_comes_once_on_monday_at_eight_and_compares_with_the_week_before() -> None:
    a_week()
    assert [queue_due(DUE + minutes * MINUTE) for minutes in (-1, 0, 1, 600)] == [False, True, False, False]
    assert sender.send_due(DUE + MINUTE).sent == 1
    (sent,) = mail.outbox
    assert sent.subject == "[HealthPilot] Costs 04 May to 10 May 2026: $70.00"
    text = str(sent.body).replace("\u202f", " ")
    assert "$70.00 from 4 May to 10 May 2026, 25.0 % more than the week before." in text
    assert "- <i>ann</i>: $42.00 (60" in sent.body
    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined] # an EmailMultiAlternatives
    assert "&lt;i&gt;ann&lt;/i&gt;" in html
    assert "<i>ann" not in html
    assert "$42.00" in html
    assert "style=" not in html


def test_it_waits_for_the_week_to_be_closed_and_says_when_it_is_not() -> None:
    a_week(closed=6)
    assert not queue_due(DUE)
    assert queue_due(DUE + timedelta(hours=12))
    body = Notification.objects.get().body
    assert body is not None
    assert "Not every day of the week is closed yet" in body["data"]["text"]


@pytest.mark.parametrize(
    ("given", "hours"), [({"COST_SUMMARY": False}, 0), ({"ALERT_EMAIL_TO": []}, 0), ({}, 49)]
)
def test_it_is_not_sent_where_nobody_wants_it_nor_days_late(
    settings: Any, given: dict[str, Any], hours: int
) -> None:
    a_week()
    for name, value in given.items():
        setattr(settings, name, value)
    assert not queue_due(DUE + timedelta(hours=hours))


def test_a_week_without_any_event_has_no_summary() -> None:
    assert week(FIRST) is None
    assert not queue_due(DUE)
