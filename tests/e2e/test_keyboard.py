"""The cost page by keyboard alone."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("month")
def test_an_open_menu_closes_on_escape_and_gives_the_focus_back(open_page: Open) -> None:
    page = open_page("/admin/cost")
    page.locator("#range-custom").click()
    page.get_by_label("From").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_label("From")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "range-custom"


@pytest.mark.usefixtures("month")
def test_the_skip_link_leads_to_the_main_part(open_page: Open) -> None:
    page = open_page("/admin/cost")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
