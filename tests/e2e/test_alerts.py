"""Alerts in a real browser: acknowledged by keyboard alone, silenced without scripts, odd texts as texts."""

import pytest
from playwright.sync_api import Page, expect

from systemstatus.models import Alert, Silence
from tests.e2e.conftest import DESKTOP, PHONE, TABLET, Open, overflow
from tests.e2e.inspection import WIDE
from tests.systemstatus import scenes

pytestmark = pytest.mark.django_db(transaction=True)

TAB = "/admin/status/alerts"


def press_until_focused(page: Page, name: str) -> None:
    """Go on with Tab until a control of this name has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("(document.activeElement.textContent || '').trim()").startswith(name):
            return
    raise AssertionError(f"Tab never reached {name}")


def test_an_alert_is_acknowledged_by_keyboard_alone_and_says_so_at_once(open_page: Open) -> None:
    scenes.make_night()
    page = open_page(TAB, DESKTOP, as_admin=True)
    press_until_focused(page, "Acknowledge")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Acknowledge an alert")).to_be_visible()
    page.get_by_label("Note").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Write a note: what you know")).to_be_visible()
    page.get_by_label("Note").focus()
    page.keyboard.type("Looking at the queue.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Acknowledged: Oldest waiting job of free is 412 s.")).to_be_visible()
    expect(page.get_by_text("Looking at the queue.")).to_be_visible()
    assert Alert.objects.filter(acknowledged_by="root").count() == 1


def test_without_scripts_an_alert_is_silenced_from_its_line_and_the_silence_ended(open_page: Open) -> None:
    scenes.make_night()
    page = open_page(TAB, PHONE, as_admin=True, java_script_enabled=False)
    page.get_by_role("link", name="Silence cache.rtt of redis.").click()
    expect(page.get_by_label("Rule")).to_have_value("cache.rtt")
    page.get_by_label("Reason").fill("A new switch.")
    page.get_by_label("Ends", exact=True).select_option("At the time below")
    page.get_by_role("button", name="Keep it quiet").click()
    expect(page.get_by_text("A silence needs an end")).to_be_visible()
    page.get_by_label("Ends", exact=True).select_option("4 hours from now")
    page.get_by_role("button", name="Keep it quiet").click()
    expect(page.get_by_text("Kept quiet: cache.rtt redis * until")).to_be_visible()
    expect(page.get_by_text("silenced by root until")).to_be_visible()
    page.get_by_role("button", name="End now Silence of cache.rtt").click()
    expect(page.get_by_text("The silence is over")).to_be_visible()
    assert Silence.objects.get(rule="cache.rtt").ended_by == "root"


def test_views_and_filters_change_the_panel_alone_and_stay_in_the_address(open_page: Open) -> None:
    scenes.make_night()
    page = open_page(TAB, DESKTOP, as_admin=True)
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.get_by_label("Module").select_option("postgres")
    page.wait_for_url("**module=postgres**")
    expect(page.locator(".steps-rows tbody tr")).to_have_count(3)
    page.reload()
    expect(page.locator(".steps-rows tbody tr")).to_have_count(3)


@pytest.mark.parametrize("size", [PHONE, TABLET])
def test_odd_texts_are_texts_and_nothing_sticks_out(size: tuple[int, int], open_page: Open) -> None:
    scenes.make_night()
    page = open_page(TAB, size, as_admin=True)
    expect(page.get_by_text(scenes.ODD[0]).first).to_be_visible()
    views = [f"alerts?view={view}" for view in ("open", "timeline", "messages", "ended", "pending")]
    for path in (*views, "audit", "audit?view=chain", "audit?entry=4"):
        page.goto(f"{page.url.split('/status')[0]}/status/{path}")
        assert overflow(page) == 0, (path, page.evaluate(WIDE))
