"""The components that do something, on the page of the design system: by keyboard and by pointer."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.conftest import PHONE, Open

pytestmark = pytest.mark.django_db(transaction=True)


def alone(open_page: Open, component: str, **options: Any) -> Page:
    return open_page(f"/admin/design?component={component}", **options)


def test_tabs_move_by_arrows_open_by_enter_and_keep_the_focus(open_page: Open) -> None:
    page = alone(open_page, "tabs")
    tabs = page.get_by_role("tablist").first.get_by_role("tab")
    tabs.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(tabs.nth(4)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(0)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-row")).to_contain_text("Database")
    expect(tabs.nth(4)).to_have_attribute("aria-selected", "true")
    expect(tabs.nth(4)).to_be_focused()
    expect(page).to_have_url(re.compile("tab=4"))
    page.keyboard.press("Tab")
    expect(page.locator("#panel-row")).to_be_focused()


def test_tabs_are_links_without_scripts(open_page: Open) -> None:
    page = alone(open_page, "tabs", java_script_enabled=False)
    expect(page.get_by_role("tab")).to_have_count(0)
    tab = page.get_by_role("main").get_by_role("link", name="Budgets").first
    expect(tab).to_have_attribute("href", re.compile("tab=1"))


def test_a_dialog_holds_the_focus_and_gives_it_back(open_page: Open) -> None:
    page = alone(open_page, "dialog")
    opener = page.get_by_role("link", name="Terminate 48213")
    opener.click()
    dialog = page.get_by_role("dialog", name="Terminate session 48213?")
    expect(dialog).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.matches('body, dialog *')")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_click_beside_a_drawer_closes_it(open_page: Open) -> None:
    page = alone(open_page, "dialog")
    page.get_by_role("link", name="Open the drawer").click()
    expect(page.locator("#demo-drawer")).to_be_visible()
    page.mouse.click(200, 400)
    expect(page.locator("#demo-drawer")).to_be_hidden()


def test_the_typeahead_is_worked_by_the_keyboard_a_page_at_a_time(open_page: Open) -> None:
    page = alone(open_page, "combobox")
    box = page.get_by_role("combobox").first
    box.press_sequentially("usr_1")
    expect(box).to_have_attribute("aria-expanded", "true")
    options = page.locator("#who-closed-list [role=option]")
    expect(options).to_have_count(9)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(options).to_have_count(17)
    page.keyboard.press("Enter")
    assert box.input_value().startswith("usr_1")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.fill("zzz")
    expect(page.locator("#who-closed-list")).to_contain_text("No match")
    page.keyboard.press("Escape")
    expect(page.locator("#who-closed-list")).to_be_hidden()


def is_refresh(request: Request) -> bool:
    """Say whether a request is the component's: the mark of System Status beside it asks by itself."""
    return "hx-request" in request.headers and "/status/widget" not in request.url


def test_a_refresh_waits_while_paused_and_says_how_old_the_figures_are(open_page: Open) -> None:
    page = alone(open_page, "refresh")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if is_refresh(request) else None)
    page.clock.install()
    page.reload()
    expect(page.get_by_text("Not fetched yet.")).to_be_visible()
    page.get_by_role("button", name="Pause refreshing").click()
    page.clock.run_for(65_000)
    expect(page.locator("[data-age]")).to_have_text(re.compile(r"updated 1 min ago"))
    assert asked == []
    page.get_by_role("button", name="Pause refreshing").click()
    page.clock.run_for(2_000)
    expect(page.locator("#demo-figures")).to_contain_text("Fetched at")
    expect(page.locator("[data-age]")).to_have_text(re.compile(r"updated \d+ s ago"))
    assert len(asked) == 1


def test_the_chosen_interval_is_remembered(open_page: Open) -> None:
    page = alone(open_page, "refresh")
    page.locator("[data-every]").select_option("300")
    page.reload()
    expect(page.locator("[data-every]")).to_have_value("300")


def test_the_exact_time_shows_on_hover_and_on_focus_and_goes_on_escape(open_page: Open) -> None:
    page = open_page("/admin/design?component=time&state=ready")
    when, exact = page.locator(".when"), page.get_by_text("2026-11-17 14:36:00 UTC")
    expect(exact).to_be_hidden()
    when.hover()
    expect(exact).to_be_visible()
    page.mouse.move(0, 0)
    expect(exact).to_be_hidden()
    when.focus()
    expect(exact).to_be_visible()
    page.keyboard.press("Escape")
    expect(exact).to_be_hidden()


def test_a_changed_figure_is_marked_while_it_is_typed_and_discarded_again(open_page: Open) -> None:
    page = open_page("/admin/design?component=change_form&state=ready")
    line = page.locator(".change-line", has=page.locator("#change-ready-jobs"))
    page.locator("#change-ready-jobs").fill("14,000")
    expect(line).to_have_class(re.compile("is-changed"))
    page.get_by_role("button", name="Discard").click()
    expect(line).not_to_have_class(re.compile("is-changed"))


def test_a_toast_can_be_dismissed(open_page: Open) -> None:
    page = open_page("/admin/design?component=toast&state=ok")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("The view was saved.")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "contrast"])
def test_a_theme_is_shown_at_once_and_again_after_a_reload(open_page: Open, theme: str) -> None:
    page = open_page("/admin/design?component=badge")
    canvas = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(canvas)
    page.locator(f".side button[value={theme}]").click()
    page.wait_for_function(f"{canvas} !== '{before}'")
    chosen = page.evaluate(canvas)
    page.reload()
    assert page.evaluate(canvas) == chosen


@pytest.mark.parametrize(("scheme", "ground"), [("dark", "rgb(11, 14, 20)"), ("light", "rgb(246, 248, 250)")])
def test_the_system_theme_follows_the_reader_without_a_script(
    open_page: Open, scheme: str, ground: str
) -> None:
    page = open_page("/", theme="system", signed_in=False, java_script_enabled=False, color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_paper_is_light_in_the_dark_theme(open_page: Open) -> None:
    page = open_page("/admin/design?component=badge")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(16, 22, 31)"
    expect(page.locator(".side")).to_be_hidden()


def test_nothing_moves_for_who_asks_for_less_motion(open_page: Open) -> None:
    page = open_page("/admin/design?component=kpi&state=loading", PHONE, reduced_motion="reduce")
    assert page.locator(".sk").first.evaluate("one => getComputedStyle(one).animationName") == "none"
