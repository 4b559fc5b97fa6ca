"""Single keys, their off switch, and the refresh of today."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Request, expect

from costs.models import CostDay
from tests.e2e.conftest import Open, comes, drawn, violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("month")
def test_single_keys_do_what_the_list_says_until_they_are_switched_off(open_page: Open) -> None:
    page = open_page("/admin/cost")
    drawn(page)
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile("days=90"))
    expect(page.locator("#range-90")).to_have_attribute("aria-current", "true")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile("view=chart"))
    page.keyboard.press("/")
    expect(page.locator("#user-filter")).to_be_focused()
    page.keyboard.type("usr]?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"days=90.*q=usr"))
    page.get_by_role("link", name="Clear the filter").click()
    expect(page.locator(".uid").first).to_be_visible()
    page.locator("#users-title").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Single keys work").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    drawn(page)
    page.keyboard.press("[")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile("days=90"))
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_label("Single keys work")).not_to_be_checked()


class Refreshes:
    """What the page asked for by itself, and how each was answered."""

    def __init__(self, page: Page) -> None:
        self.page, self.asked, self.answered = page, 0, list[int]()
        page.on("request", self.note)
        page.on("response", lambda answer: self.note(answer.request, answer.status))

    def note(self, request: Request, status: int | None = None) -> None:
        if "x-shown-version" not in request.headers:
            return
        if status is None:
            self.asked += 1
        else:
            self.answered.append(status)

    def go_on_until(self, wanted: int) -> None:
        """Let half minutes pass until one was answered so; none is begun while another is on its way."""
        for _ in range(6):
            self.page.clock.run_for(31_000)
            if comes(self.page, lambda: wanted in self.answered, 5):
                return
        raise AssertionError(f"{self.answered} after three minutes of the page's clock")


@pytest.mark.usefixtures("month")
def test_today_is_refreshed_while_nobody_types_or_has_paused_it(open_page: Open) -> None:
    page = open_page("/admin/cost?days=7")
    page.clock.install()
    page.reload()
    drawn(page)
    refreshes = Refreshes(page)
    refreshes.go_on_until(204)
    CostDay.objects.update(rolled_up_at=timezone.now())
    refreshes.go_on_until(200)
    drawn(page)
    expect(page.locator("#live")).to_contain_text("Figures updated")
    page.locator("#user-filter").focus()
    before = refreshes.asked
    page.clock.run_for(40_000)
    assert refreshes.asked == before
    page.locator("#user-filter").blur()
    page.locator("#refresh-pause").click()
    expect(page.locator("#refresh-pause")).to_have_attribute("aria-pressed", "true")
    before = refreshes.asked
    page.clock.run_for(90_000)
    assert refreshes.asked == before
    expect(page.locator("[data-age]")).to_contain_text(re.compile("Checked .* ago"))


@pytest.mark.usefixtures("month")
def test_what_the_list_of_users_was_filtered_by_stays_in_links_outside_of_it(open_page: Open) -> None:
    page = open_page("/admin/cost?days=30", permissions=["clipboard-read", "clipboard-write"])
    drawn(page)
    page.locator("#tier-2").click()
    expect(page).to_have_url(re.compile("tier=pro"))
    expect(page.locator("#tier-2")).to_have_attribute("aria-current", "true")
    page.locator("#sort-user").click()
    expect(page).to_have_url(re.compile("sort=user"))
    page.locator("#by-user").click()
    expect(page.locator("#by-user")).to_have_attribute("aria-current", "true")
    page.locator("#copy-link").click()
    expect(page.locator("#copy-link")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"\?from=\S+&to=", copied)
    assert all(part in copied for part in ("by=user", "sort=user", "tier=pro"))
    page.locator("#range-7").click()
    expect(page.locator("#range-7")).to_have_attribute("aria-current", "true")
    assert all(part in page.url for part in ("days=7", "by=user", "sort=user", "tier=pro"))
    expect(page.locator("#tier-2")).to_have_attribute("aria-current", "true")
    page.locator("#tier-all").click()
    expect(page).not_to_have_url(re.compile("tier="))
    page.locator("#range-custom").click()
    page.get_by_role("button", name="Show these days").click()
    expect(page).to_have_url(re.compile("from=.*by=user.*sort=user"))
    assert "tier=" not in page.url


@pytest.mark.usefixtures("month")
def test_a_copied_link_holds_the_days_and_a_copied_table_its_figures(open_page: Open) -> None:
    page = open_page("/admin/cost?days=7&sort=jobs", permissions=["clipboard-read", "clipboard-write"])
    drawn(page)
    page.locator("#copy-link").click()
    expect(page.locator("#copy-link")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"/admin/cost\?from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d&sort=jobs$", copied)
    page.get_by_role("button", name="Copy these users as CSV").click()
    expect(page.locator("#users .is-done")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").lstrip("\ufeff").startswith("User,Tier,Jobs,")
