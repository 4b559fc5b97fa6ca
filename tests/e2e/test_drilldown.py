"""From a figure to what is behind it, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.costs import recorded
from tests.e2e.conftest import DESKTOP, PHONE, Open, drawn, overflow, violations

pytestmark = pytest.mark.django_db(transaction=True)


def click_in(page: Page, plot: str, across: float, down: float) -> None:
    """Click into a drawn figure, after the pointer has rested there as a person's does."""
    box = page.locator(f"[data-figure='{plot}'] .nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * across - 2, box["y"] + box["height"] * down)
    page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
    page.wait_for_timeout(200)
    page.mouse.down()
    page.mouse.up()


def test_a_point_and_a_bar_lead_to_the_rows_behind_them(open_page: Open) -> None:
    recorded.make_events(days=10)
    page = open_page("/admin/cost?days=7")
    drawn(page)
    click_in(page, "tiers-figure", 0.5, 0.5)
    expect(page).to_have_url(re.compile(r"from=(\S+)&to=\1"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"days=7$"))
    page.wait_for_load_state("networkidle")
    drawn(page)
    page.locator("#domains").scroll_into_view_if_needed()
    click_in(page, "domains-figure", 0.01, 0.13)
    expect(page).to_have_url(re.compile(r"/admin/cost/domains/\w+\?days=7"))
    page.locator("#parts-user a.to").first.click()
    expect(page).to_have_url(re.compile(r"/admin/cost/users/usr_\w\?days=7"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/admin/cost/domains/"))


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_a_page_of_hostile_events_is_accessible_plain_and_in_place(
    open_page: Open, size: tuple[int, int], theme: str
) -> None:
    recorded.make_hostile_events()
    page = open_page("/admin/cost/job-types/~PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg?days=7", size, theme=theme)
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    drawn(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(recorded.HOSTILE[0])
    assert violations(page) == []
    assert overflow(page) == 0
    for index, name in enumerate(recorded.HOSTILE):
        page.goto(page.url.split("/admin")[0] + "/admin/cost?days=7")
        page.locator(".users .to").nth(index).evaluate("link => link.click()")
        drawn(page)
        assert page.get_by_role("heading", level=1).text_content() in recorded.HOSTILE, name
        assert overflow(page) == 0


def test_a_page_of_events_is_whole_without_scripts(open_page: Open) -> None:
    recorded.make_events(days=4)
    page = open_page("/admin/cost/users/usr_a?days=7&view_history=chart", PHONE, java_script_enabled=False)
    for title in ("Cost per day", "By domain", "Dearest events", "Recent events"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("#history tbody tr").first).to_be_visible()
    assert page.locator("#history table").bounding_box()["height"] > 100  # type: ignore[index]
    page.locator("#events .events .to").first.click()
    expect(page).to_have_url(re.compile(r"/admin/cost/(models|job-types)/"))
