"""System Status in a browser: tabs without a reload, a live mode with manners, time travel, hostile text."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from systemstatus.registry import Layer
from telemetry import vitals
from tests.e2e.conftest import PHONE, TABLET, Open, until
from tests.systemstatus.factories import HOSTILE, check, make_alert, make_bad_night, make_day, make_snapshot
from tests.systemstatus.factories import this_minute as minute
from tests.systemstatus.watched import module, only

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def asked_for(page: Page) -> list[str]:
    """Return a list that fills with the addresses that HTMX asks for, the widget's left out."""
    asked: list[str] = []

    def note(request: Any) -> None:
        if request.headers.get("hx-request") and "/widget" not in request.url:
            asked.append(request.url)

    page.on("request", note)
    return asked


def hide(page: Page, *, hidden: bool) -> None:
    """Have the page believe that its tab is hidden, or seen again."""
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_tab_opens_without_a_reload_and_has_its_own_address(open_page: Open) -> None:
    make_bad_night()
    page = open_page("/admin/status")
    page.evaluate("window.notReloaded = true")
    tab = page.get_by_role("tab", name=re.compile("Database"))
    tab.click()
    expect(page.locator("#panel")).to_contain_text("Blocking tree")
    expect(page).to_have_url(re.compile("/admin/status/database$"))
    expect(page).to_have_title(re.compile("Database, System Status"))
    expect(tab).to_have_attribute("aria-selected", "true")
    assert page.evaluate("window.notReloaded")
    page.go_back()
    expect(page.locator("#panel")).to_contain_text("Recent changes")


def test_without_scripts_every_tab_is_a_link_and_time_travel_a_form(open_page: Open) -> None:
    make_day(hours=2)
    page = open_page("/admin/status", java_script_enabled=False)
    page.get_by_role("link", name=re.compile("^Storage")).first.click()
    expect(page.locator("#panel")).to_contain_text("Redis")
    page.get_by_label("Minute in UTC").fill(f"{minute() - timedelta(minutes=30):%Y-%m-%d %H:%M}")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("main")).to_contain_text("Back to live")


def test_hovering_a_tab_fetches_it_and_its_neighbours_once(open_page: Open) -> None:
    make_day(hours=1)
    page = open_page("/admin/status")
    asked = asked_for(page)
    page.get_by_role("tab", name=re.compile("API")).hover()
    until(page, lambda: len(asked) >= 3)
    page.wait_for_timeout(200)
    paths = sorted(url.rsplit("/", 1)[1] for url in asked)
    assert paths == ["api", "database", "health"]
    page.get_by_role("tab", name=re.compile("API")).click()
    expect(page.locator("#panel h2")).to_have_text("API")


def test_live_mode_refreshes_pauses_and_remembers_its_interval(open_page: Open) -> None:
    make_day(hours=1)
    page = open_page("/admin/status")
    page.clock.install()
    page.reload()
    asked = asked_for(page)
    page.clock.run_for(31_000)
    until(page, lambda: len(asked) == 1)
    page.get_by_role("button", name="Pause refreshing").click()
    page.clock.run_for(90_000)
    assert len(asked) == 1
    page.get_by_role("button", name="Pause refreshing").click()
    page.get_by_label("Refresh every").select_option("60")
    page.reload()
    expect(page.get_by_label("Refresh every")).to_have_value("60")
    page.get_by_label("Refresh every").select_option("0")
    before = len(asked)
    page.clock.run_for(600_000)
    assert len(asked) == before


def test_a_hidden_tab_asks_nothing_and_catches_up_at_once_on_return(open_page: Open) -> None:
    make_day(hours=1)
    page = open_page("/admin/status")
    page.clock.install()
    page.reload()
    asked = asked_for(page)
    hide(page, hidden=True)
    page.clock.run_for(120_000)
    assert asked == []
    hide(page, hidden=False)
    until(page, lambda: len(asked) == 1)


def test_it_waits_while_somebody_types(open_page: Open) -> None:
    make_day(hours=1)
    page = open_page("/admin/status/budgets?rehearse=db.connections")
    page.clock.install()
    page.reload()
    asked = asked_for(page)
    page.get_by_label(re.compile("^Warning at")).fill("66")
    page.clock.run_for(90_000)
    assert asked == []
    expect(page.get_by_label(re.compile("^Warning at"))).to_have_value("66")


def test_a_refresh_brings_the_new_status_everywhere_and_says_it_once(open_page: Open) -> None:
    make_day(hours=1)
    page = open_page("/admin/status")
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("OK")
    make_alert("db.lock_wait", "postgres", value=90, unit="s")
    page.get_by_title("Refresh now").click()
    expect(page.get_by_role("navigation", name="Main")).to_contain_text("Error")
    expect(page.locator("#mark-database svg")).to_have_attribute("aria-label", "Error")
    expect(page.locator("#live")).to_have_text("Overview. Overall Error, 1 open alert.")
    expect(page.locator("#panel")).to_contain_text("has waited 90")


def test_on_a_phone_a_picker_shows_the_state_of_every_tab(open_page: Open) -> None:
    make_bad_night()
    page = open_page("/admin/status", PHONE)
    expect(page.get_by_role("tablist")).to_have_count(0)
    page.locator(".picker summary").click()
    picker = page.get_by_role("navigation", name="Tabs of System Status")
    expect(picker.get_by_role("link", name=re.compile("Jobs.*Error", re.DOTALL))).to_be_visible()
    picker.get_by_role("link", name=re.compile("^Storage")).click()
    expect(page).to_have_url(re.compile("/admin/status/storage$"))


@pytest.mark.parametrize("size", [PHONE, TABLET])
@pytest.mark.parametrize("slug", ["", "/budgets", "/database", "/health", "/storage", "/integrations"])
def test_nothing_is_wider_than_the_screen(slug: str, size: tuple[int, int], open_page: Open) -> None:
    make_bad_night()
    page = open_page(f"/admin/status{slug}", size)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


@pytest.mark.parametrize("as_admin", [False, True], ids=["viewer", "admin"])
def test_beside_the_list_of_tabs_most_of_the_width_is_the_panels(open_page: Open, as_admin: bool) -> None:
    make_bad_night()
    page = open_page("/admin/status/alerts", as_admin=as_admin)
    tabs, panel = (page.locator(name).bounding_box() for name in (".tabs", "#panel"))
    assert tabs
    assert panel
    assert tabs["width"] < 320
    assert panel["width"] > 800


def test_the_heads_of_a_table_stand_above_their_columns(open_page: Open) -> None:
    make_bad_night()
    page = open_page("/admin/status/health")
    rows = (page.locator(f"table.checks {part} tr").first for part in ("thead", "tbody"))
    head, first = ([cell.bounding_box() for cell in row.locator("th, td").all()] for row in rows)
    assert [cell["x"] for cell in head if cell] == [cell["x"] for cell in first if cell]


def test_the_summary_is_copied_as_text(open_page: Open) -> None:
    make_bad_night()
    page = open_page("/admin/status", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy summary").click()
    expect(page.get_by_role("button", name=re.compile("Copied"))).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("System Status, ")
    assert "Open alerts: 6" in copied


def test_hostile_text_runs_nowhere(open_page: Open) -> None:
    bad = module("hostile", title=HOSTILE, owner=HOSTILE, layer=Layer.DATABASE)
    with only(bad):
        make_snapshot(
            "hostile", state="critical", error=HOSTILE, checks=[check(HOSTILE, "failed", error=HOSTILE)]
        )
        make_alert("check.down", "hostile", target=HOSTILE, message=HOSTILE)
        for slug in ("", "/health", "/database", "/budgets", "/storage", "/integrations"):
            page = open_page(f"/admin/status{slug}")
            assert page.locator("img").count() == 0


def test_a_page_that_is_left_tells_how_it_was(open_page: Open) -> None:
    heard: dict[tuple[str, str], float] = {}
    arrived = threading.Event()

    def note(portal: str, metric: str, value: float) -> None:
        heard[portal, metric] = value
        if metric == "ttfb":
            arrived.set()

    with mock.patch.object(vitals, "observe", note):
        page = open_page("/admin/status")
        page.locator("h1").click()
        page.goto("about:blank")
        assert arrived.wait(30), heard
    assert {("admin", "lcp"), ("admin", "cls"), ("admin", "ttfb")} <= set(heard)
    assert heard["admin", "lcp"] >= heard["admin", "ttfb"] > 0
