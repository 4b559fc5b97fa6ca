"""The cost page by keyboard alone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, Open, drawn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("month")
def test_an_open_menu_closes_on_escape_and_gives_the_focus_back(open_page: Open) -> None:
    page = open_page("/admin/cost")
    page.locator("#range-custom").click()
    page.get_by_label("From").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_label("From")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "range-custom"


def focusable(page: Page) -> set[str]:
    """Return a name for every control that can be seen."""
    names: list[str] = page.evaluate(
        """(controls) => [...document.querySelectorAll(controls)]
            .filter((one) => one.checkVisibility() && !one.closest(".skip"))
            .map((one, index) => one.dataset.seen = `${index} ${one.tagName} ${one.id} ${one.className}`)""",
        "a[href], button, input:not([type=hidden]), summary, [tabindex='0']",
    )
    return set(names)


@pytest.mark.usefixtures("month")
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_keyboard_reaches_every_control_with_a_focus_that_can_be_seen(
    open_page: Open, size: tuple[int, int]
) -> None:
    page = open_page("/admin/cost", size)
    drawn(page)
    wanted, reached = focusable(page), set()
    for _ in range(len(wanted) * 2 + 10):
        page.keyboard.press("Tab")
        at: dict[str, Any] = page.evaluate(
            """() => ({
                name: document.activeElement.dataset.seen ?? "",
                outline: getComputedStyle(document.activeElement).outlineStyle,
                body: document.activeElement === document.body,
            })"""
        )
        assert at["body"] or at["outline"] != "none", at
        reached.add(at["name"])
    assert wanted - reached == set()


@pytest.mark.usefixtures("month")
def test_the_skip_link_leads_to_the_main_part(open_page: Open) -> None:
    page = open_page("/admin/cost")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
