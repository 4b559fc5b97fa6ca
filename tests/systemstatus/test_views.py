"""The eleven tabs over HTTP: whole and as fragments, in every state, in few queries, with no call outside."""

import re
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from systemstatus import probing, queries, registry
from systemstatus.models import StatusLease
from systemstatus.registry import Layer
from systemstatus.tabs import TABS, Tab
from tests.costs.factories import make_staff
from tests.systemstatus.factories import HOSTILE, check, make_alert, make_day, make_snapshot, this_minute
from tests.systemstatus.watched import module, only

pytestmark = pytest.mark.django_db

HTMX: dict[str, Any] = {"HX-Request": "true", "HX-Target": "panel"}
MOST_QUERIES = 4
# The day's marks and samples, which the first page of a minute reads for all tabs and readers.
DAY = re.compile(r'floor\(extract\(epoch FROM captured_at|"captured_at" IN \(')
every_tab = pytest.mark.parametrize("tab", TABS, ids=[tab.slug for tab in TABS])


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def shown(client: Client, path: str = "/admin/status", status: int = 200, **headers: Any) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    return answer.content.decode()


def test_there_are_eleven_tabs_in_their_order() -> None:
    assert [tab.slug for tab in TABS] == [
        "overview", "budgets", "health", "api", "database", "jobs", "storage", "integrations", "portals",
        "alerts", "audit",
    ]  # fmt: skip


@every_tab
def test_every_tab_has_an_address_of_its_own(tab: Tab, staff: Client) -> None:
    make_day(hours=1)
    html = shown(staff, f"/admin/status/{tab.slug}")
    assert f"<title>{tab.title}, System Status" in html
    assert html.count('aria-current="page"') >= 2
    assert "<html" in html


@every_tab
def test_htmx_gets_the_panel_alone_with_the_states_of_all_tabs(tab: Tab, staff: Client) -> None:
    make_day(hours=1)
    html = shown(staff, tab.url, **HTMX)
    assert "<html" not in html
    assert f"<title>{tab.title}, System Status" in html
    assert html.count('hx-swap-oob="true"') == 2 * len(TABS) + 3  # marks, widgets, banners


def test_pages_are_kept_privately_for_half_a_minute_apart_from_fragments(staff: Client) -> None:
    answer = staff.get("/admin/status")
    assert set(answer["Cache-Control"].split(", ")) == {"private", "max-age=30"}
    assert {"Cookie", "HX-Request"} <= set(answer["Vary"].split(", "))


def test_an_unknown_tab_is_refused_with_the_list_of_those_there_are(staff: Client) -> None:
    html = shown(staff, "/admin/status/nowhere", status=404)
    assert "no tab of this name" in html
    assert all(f'href="{tab.url}"' in html for tab in TABS)


@pytest.mark.parametrize("slug", ["<script>", "%00", "a/b", "..", "x" * 5000])
def test_what_could_be_no_tabs_name_is_not_found(slug: str, staff: Client) -> None:
    assert "<script>alert" not in shown(staff, f"/admin/status/{slug}", status=404)


@every_tab
def test_before_anything_was_collected_nothing_is_green(tab: Tab, staff: Client) -> None:
    html = shown(staff, tab.url)
    assert "Nothing has been collected yet" in html
    assert "#s-ok" not in re.sub(r"<symbol.*?</symbol>", "", html, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("minutes", "kind", "is_green"), [(1, None, True), (3, "is-warn", True), (6, "is-error", False)]
)
def test_late_snapshots_are_said_yellow_then_red_and_are_not_green_then(
    minutes: int, kind: str | None, *, is_green: bool, staff: Client
) -> None:
    make_day(hours=1, until=this_minute() - timedelta(minutes=minutes))
    html = shown(staff, "/admin/status/storage")
    banners = re.findall(
        r'<div class="banner (is-\w+)">', html.split('id="notice"')[1].split('id="panel"')[0]
    )
    assert banners == ([kind] if kind else [])
    assert ('class="badge ok' in html) is is_green


@pytest.mark.parametrize(
    "asked",
    ["nonsense", "2999-01-01T00:00", "2001-01-01T00:00", "2026-02-30T00:00", "%00", "9" * 5000, "%3Cb%3E"],
)
def test_a_minute_that_cannot_be_shown_is_answered_politely(asked: str, staff: Client) -> None:
    html = shown(staff, f"/admin/status?at={asked}", status=400)
    assert "This minute cannot be shown" in html
    assert "<b>" not in html.split('id="notice"')[1].split('id="panel"')[0]


def test_a_past_minute_stays_in_every_link_and_does_not_refresh_itself(staff: Client) -> None:
    now = this_minute()
    make_day(hours=1)
    make_snapshot("late", now - timedelta(minutes=90))
    at = f"{now - timedelta(minutes=10):%Y-%m-%dT%H:%M}"
    html = shown(staff, f"/admin/status/storage?at={at}")
    assert f"/admin/status/database?at={at.replace(':', '%3A')}" in html
    assert "Back to live" in html
    assert "data-refresh=" not in html


@every_tab
def test_a_tab_reads_in_four_queries_and_asks_nothing_outside(tab: Tab, staff: Client) -> None:
    make_day(hours=2)
    make_alert("cache.rtt", "redis")
    staff.get(tab.url)  # what Django keeps for good is asked for once
    past = f"?at={this_minute() - timedelta(minutes=30):%Y-%m-%dT%H:%M}"
    assert len(own := asked_by(staff, tab.url)) <= MOST_QUERIES, "\n".join(own)
    for query in (past, ""):
        cache.clear()  # nothing is kept: of all that is read, the most
        own = [sql for sql in asked_by(staff, f"{tab.url}{query}") if not DAY.search(sql)]
        assert len(own) <= MOST_QUERIES, "\n".join(own)


@pytest.mark.parametrize(
    "path",
    ["/admin/status/widget", "/healthz/live", "/healthz/ready", "/healthz/collector", "/api/status/metrics"],
)
def test_what_monitors_and_the_widget_ask_for_runs_no_probe_either(path: str, staff: Client) -> None:
    make_day(hours=1)
    cache.clear()
    assert len(asked_by(staff, path)) <= MOST_QUERIES


def asked_by(client: Client, path: str) -> list[str]:
    """Return what an address asks PostgreSQL besides who asks; nothing else may be asked, no catalogue."""
    with no_sockets(), no_probes(), CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    own = [one["sql"] for one in asked if not re.search(r"auth_user|auth_group|django_session", one["sql"])]
    assert not [sql for sql in own if re.search(r"\bpg_\w+", sql)], "a page asked PostgreSQL's catalogue"
    return own


def no_sockets() -> AbstractContextManager[object]:
    """Refuse every new connection but the cache's and the database's, which are unix sockets here."""
    real = socket.socket.connect

    def local(own: socket.socket, address: Any) -> None:
        if own.family != socket.AF_UNIX:
            raise AssertionError(f"a page reached for {address}")
        real(own, address)

    return mock.patch.object(socket.socket, "connect", local)


@contextmanager
def no_probes() -> Iterator[None]:
    """Let every probe refuse, whoever runs it."""
    refused = mock.Mock(side_effect=AssertionError("a page ran a probe"))
    deaf = {
        name: replace(own, probes=tuple(replace(probe, run=refused) for probe in own.probes))
        for name, own in registry.registered.items()
    }
    with mock.patch.object(registry, "registered", deaf), mock.patch.object(probing, "run_all", refused):
        yield


@pytest.fixture
def hostile() -> Iterator[None]:
    bad = module("hostile", title=HOSTILE, owner=HOSTILE, layer=Layer.CACHE, depends_on=(HOSTILE,))
    with only(bad):
        yield


@every_tab
@pytest.mark.usefixtures("hostile")
def test_hostile_text_is_text(tab: Tab, staff: Client) -> None:
    checks = [check(HOSTILE, "failed", error=HOSTILE)]
    make_snapshot("hostile", state="critical", error=HOSTILE, checks=checks)
    make_alert(HOSTILE[:40], "hostile", target=HOSTILE, message=HOSTILE)
    assert "<img src=x" not in shown(staff, tab.url)


def test_a_database_that_fails_is_said_with_a_way_back(staff: Client) -> None:
    with mock.patch.object(queries, "rows_at", side_effect=OperationalError("gone")):
        html = shown(staff, "/admin/status/jobs", status=503)
        assert "The status could not be read" in html
        assert "/admin/status/jobs" in html
        assert "banner is-error" in shown(staff, "/admin/status/jobs", status=503, **HTMX)


def marks(html: str) -> dict[str, str]:
    """Return what each tab's mark says, by the tab's name; empty where it has none."""
    found = re.findall(r'<span class="mark" id="mark-(\w+)">(.*?)</a>', html, re.DOTALL)
    return {slug: "".join(re.findall(r'aria-label="(\w+)"', mark)) for slug, mark in found}


def test_each_tab_is_marked_by_what_it_is_about(staff: Client) -> None:
    make_day(hours=1)
    make_alert("cache.rtt", "redis", severity="warning", value=12, unit="ms")
    make_alert("check.down", "dataqueue", target="depth")
    found = marks(shown(staff))
    assert found["overview"] == found["alerts"] == found["jobs"] == "Error"
    assert found["budgets"] == found["storage"] == "Warning"
    assert found["database"] == "OK"
    assert found["audit"] == ""


def test_alerts_that_nobody_evaluates_are_marked_unknown(staff: Client) -> None:
    make_day(hours=1)
    StatusLease.objects.filter(name="alerts").update(done_at=None)
    found = marks(shown(staff))
    assert found["alerts"] == found["budgets"] == "Unknown"
    assert found["overview"] == "Warning"
