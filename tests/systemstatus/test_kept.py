"""Rendered tabs are kept for a minute of snapshots, and never show what is over."""

import re
from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from healthpilot.web.roles import Role
from systemstatus.audit import record_audit
from systemstatus.models import StatusLease
from systemstatus.tabs import TABS, overview
from tests.costs.factories import make_staff, make_with_role
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


def test_within_a_minute_a_whole_page_takes_one_query_and_says_its_own_age(staff: Client) -> None:
    make_day(hours=1)
    first = shown(staff)
    with time_machine.travel(timezone.now() + timedelta(seconds=2), tick=False):
        with CaptureQueriesContext(connection) as asked:
            again = shown(staff)
        told = f'data-captured="{timezone.now().isoformat(timespec="seconds")}"'
    own = [one["sql"] for one in asked if not re.search("auth_user|auth_group|django_session", one["sql"])]
    if len(own) == 1:  # unless the minute turned between
        assert told in again
        assert told not in first


def test_a_kept_page_is_ones_own_and_its_forms_work(staff: Client) -> None:
    make_day(hours=1)
    checking = Client(enforce_csrf_checks=True)
    checking.force_login(make_with_role(Role.OPERATOR, "ada"))
    pages = [checking.get("/admin/status/health").content.decode() for _ in range(2)]
    assert "maren" not in pages[1]
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', pages[1])[0]
    path, asked = "/admin/status/health/checks/run", {"module": "nobody"}
    assert checking.post(path, asked).status_code == 403
    assert checking.post(path, asked | {"csrfmiddlewaretoken": token}).status_code == 302
    assert "There is no such module" in checking.get("/admin/status/health").content.decode()
    assert "There is no such module" not in checking.get("/admin/status/health").content.decode()


def test_another_theme_and_a_change_are_another_page(staff: Client) -> None:
    make_day(hours=1)
    assert 'data-theme="dark"' in shown(staff)
    record_audit(actor="ada", action="budget.save", target="global")
    assert "Budget saved" in shown(staff)
    staff.cookies["theme"] = "light"
    assert 'data-theme="light"' in shown(staff)


def test_panels_with_forms_are_never_kept_for_everybody() -> None:
    assert {tab.slug for tab in TABS if tab.is_kept}.isdisjoint({"jobs", "alerts", "audit", "api"})
