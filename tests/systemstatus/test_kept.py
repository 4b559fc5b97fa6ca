"""Rendered tabs are kept for a minute of snapshots, and never show what is over."""

from datetime import timedelta
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from systemstatus.models import StatusLease
from systemstatus.tabs import TABS, overview
from tests.costs.factories import make_staff
from tests.systemstatus.factories import make_alert, make_day, make_snapshot, this_minute

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def shown(client: Client, query: str = "") -> str:
    return client.get(f"/admin/status{query}").content.decode()


def test_within_a_minute_a_tab_is_made_once_for_everybody(staff: Client) -> None:
    make_day(hours=1)
    with mock.patch.object(overview, "layers_of", wraps=overview.layers_of) as made:
        pages = {shown(staff).split('id="panel"')[1].split("<footer")[0] for _ in range(3)}
        other = Client()
        other.force_login(make_staff("ada"))
        shown(other)
    assert made.call_count <= 2  # the minute may turn between
    assert len(pages) <= 2


def test_a_new_snapshot_an_alert_and_its_acknowledgement_each_show_at_once(staff: Client) -> None:
    make_day(hours=1, until=this_minute() - timedelta(minutes=1))
    assert "Everything that is watched is well." in shown(staff)
    alert = make_alert("cache.rtt", "redis", value=80, unit="ms")
    assert "Redis answers in 80" in shown(staff)
    alert.acknowledged_by = "ada"
    alert.save()
    assert "acknowledged by" in shown(staff)
    alert.closed_at, alert.state = timezone.now(), "resolved"
    alert.save()
    assert "Everything that is watched is well." in shown(staff)


def test_evaluation_that_stops_shows_though_no_snapshot_changed(staff: Client) -> None:
    make_day(hours=1)
    shown(staff)
    StatusLease.objects.filter(name="alerts").update(done_at=timezone.now() - timedelta(minutes=6))
    assert "have not been evaluated" in shown(staff)


def test_each_question_and_each_minute_is_kept_apart(staff: Client) -> None:
    make_day(hours=2)
    make_snapshot("gone", this_minute() - timedelta(minutes=90), state="critical")
    at = f"{this_minute() - timedelta(minutes=30):%Y-%m-%dT%H:%M}"
    assert "Captured <time datetime" in shown(staff)
    past = shown(staff, f"?at={at}")
    assert at.split("T")[1] in past.split('id="modules-title"')[1]
    assert past != shown(staff)


def test_tabs_with_forms_are_never_kept() -> None:
    assert {tab.slug for tab in TABS if tab.is_kept}.isdisjoint({"jobs", "alerts", "audit", "api"})
