"""The page of programs to copy, in a browser."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.costs.events import job, store
from tests.e2e.conftest import DESKTOP, PHONE, Open, overflow, violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_the_line_turns_by_itself_when_the_first_event_arrives(
    open_page: Open, size: tuple[int, int], theme: str
) -> None:
    page = open_page("/admin/instrument", size, theme=theme)
    expect(page.get_by_text("Last event received: nothing yet")).to_be_visible()
    assert violations(page) == []
    store(job(datetime.now(UTC), job_type="nightly-report"))
    expect(page.get_by_text(re.compile(r"seen \d+ s ago"))).to_be_visible(timeout=15_000)
    expect(page.locator("#last-event")).to_contain_text("Job nightly-report.")
    assert violations(page) == []
    assert overflow(page) == 0


def test_a_program_can_be_copied(open_page: Open) -> None:
    page = open_page("/admin/instrument", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy: Celery tasks").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "record_tasks()" in page.evaluate("navigator.clipboard.readText()")


def test_without_scripts_the_programs_show_and_a_link_looks_again(open_page: Open) -> None:
    page = open_page("/admin/instrument", java_script_enabled=False)
    expect(page.locator("#code-openai_call")).to_contain_text("reasoning_tokens")
    expect(page.locator("[data-copy]").first).to_be_hidden()
    store(job(datetime.now(UTC), job_type="nightly-report"))
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("#last-event")).to_contain_text("nightly-report")
