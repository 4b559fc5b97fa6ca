"""The tab Portals: how available each was, how fast, what a visitor's steps met, and certificates."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.costs.factories import make_staff
from tests.systemstatus import scenes
from tests.systemstatus.factories import make_snapshot, snapshot, store, this_minute

pytestmark = pytest.mark.django_db

TAB = "/admin/status/portals"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def card(client: Client, name: str, query: str = "") -> str:
    """Return the words of one portal's card, a mark by its word."""
    html = client.get(f"{TAB}{query}").content.decode()
    (found,) = re.findall(rf'<section class="card portal" id="module-{name}".*?</section>', html, re.DOTALL)
    marked = re.sub(r'<svg class="s [^>]*aria-label="(\w+)".*?</svg>', r" (\1) ", found, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", marked)).replace("\u202f", " ")


def test_a_portal_shows_its_availability_of_a_day_and_a_month_and_its_first_byte(staff: Client) -> None:
    scenes.make_portals()
    shown = card(staff, "portal_admin")
    assert "Available, 24 hours (Error) 99.2 % 1 of 121 checks failed" in shown.replace("99.17 %", "99.2 %")
    assert "Available, 30 days (Warning) 99.8" in shown
    assert "First byte, p75 (OK) 44 ms" in shown
    assert "/accounts/login/ 38.5 ms" in shown
    assert "answered 500, not 302" in shown


def test_what_visits_do_not_tell_yet_is_unknown(staff: Client) -> None:
    scenes.make_portals()
    shown = card(staff, "portal_admin")
    for label in ("Largest paint", "Next paint", "Layout shift"):
        assert f"{label}, p75 (Unknown) Unknown No visit told it in this hour" in shown


@pytest.mark.parametrize(
    ("metric", "bucket", "label", "said"),
    [
        ("lcp", 44, "Largest paint", "(OK) 2.0 s 50 visits"),
        ("lcp", 47, "Largest paint", "(Warning) 3.3 s 50 visits"),
        ("lcp", 49, "Largest paint", "(Error) 4.7 s 50 visits"),
        ("inp", 33, "Next paint", "(Warning) 293 ms 50 visits"),
        ("cls", 28, "Layout shift", "(Warning) 0.12 50 visits"),
    ],
)
def test_what_visits_tell_is_judged_by_its_budget(
    staff: Client, metric: str, bucket: int, label: str, said: str
) -> None:
    for minutes in (0, 30):  # minutes are merged over the hour
        values = {f"portal.{metric}_told": {str(bucket): 25}}
        make_snapshot("portal_marketing", this_minute() - timedelta(minutes=minutes), values=values)
    assert f"{label}, p75 {said}" in card(staff, "portal_marketing")


def test_too_few_visits_are_no_figure_and_older_ones_count_no_more(staff: Client) -> None:
    now = this_minute()
    old = {"portal.lcp_told": {"44": 90}}
    make_snapshot("portal_marketing", now - timedelta(minutes=61), values=old)
    make_snapshot("portal_marketing", now, values={"portal.lcp_told": {"44": 49}})
    assert "Largest paint, p75 n/a 49 of 50 visits that it takes" in card(staff, "portal_marketing")


def test_a_slow_first_check_after_a_start_is_no_slow_hour(staff: Client) -> None:
    make_snapshot("portal_marketing", values={"portal.ttfb_told": {"48": 3}})
    assert "First byte, p75 n/a 3 of 10 checks and visits that it takes" in card(staff, "portal_marketing")


def test_without_a_snapshot_nothing_of_it_is_known_or_well(staff: Client) -> None:
    shown = card(staff, "portal_marketing")
    assert "Available, 24 hours (Unknown) Unknown No check in these hours" in shown
    assert "OK" not in shown


def test_a_portal_that_is_not_there_says_so_and_counts_for_nothing(staff: Client) -> None:
    scenes.make_portals()
    shown = card(staff, "portal_customer")
    assert "Not configured" in shown
    assert "There is no page at /portal/ ." in shown
    assert "Available" not in shown


def test_time_in_maintenance_is_no_part_of_availability(staff: Client) -> None:
    now = this_minute()
    for minutes, values in (
        (3, {"portal.checks": 0, "portal.failed": 0}),
        (2, {"portal.checks": 1, "portal.failed": 0}),
    ):
        make_snapshot("portal_admin", now - timedelta(minutes=minutes), values=values)
    make_snapshot("portal_admin", now, values={"portal.checks": 1, "portal.failed": 0})
    assert "100 % 0 of 2 checks failed" in card(staff, "portal_admin")


def test_a_past_minute_looks_back_from_there(staff: Client) -> None:
    now = this_minute()
    values: dict[str, Any] = {"portal.checks": 1, "portal.failed": 1}
    store(
        [snapshot("portal_admin", now - timedelta(minutes=minutes), values=values) for minutes in range(10)]
    )
    good = {"portal.checks": 1, "portal.failed": 0}
    store(
        [snapshot("portal_admin", now - timedelta(minutes=minutes), values=good) for minutes in range(30, 60)]
    )
    at = f"{now - timedelta(minutes=30):%Y-%m-%dT%H:%M}"
    assert "0 of 30 checks failed" in card(staff, "portal_admin", f"?at={at}")
    assert "10 of 40 checks failed" in card(staff, "portal_admin")


def test_certificates_stand_by_the_days_they_have_left(staff: Client) -> None:
    scenes.make_portals()
    html = staff.get(TAB).content.decode()
    listed = html[html.index('id="certificates-title"') :]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", listed))
    assert re.search(r"5 days .*soon.example.com .*61 days .*far.example.com", words)
    assert "<script>alert" not in html
