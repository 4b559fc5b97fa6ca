"""The pages around the API: tokens are made, shown once and revoked; the description reads everywhere."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.costs.factories import make_token
from tests.e2e.conftest import DESKTOP, PHONE, Open, overflow, violations

pytestmark = pytest.mark.django_db(transaction=True)


def opened_by_admin(open_page: Open, path: str, size: tuple[int, int], theme: str) -> Page:
    page = open_page("/healthz/live", size, theme=theme)
    User.objects.update(is_superuser=True)
    page.goto(page.url.replace("/healthz/live", path))
    return page


@pytest.mark.parametrize("path", ["/admin/tokens", "/admin/api"])
@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_both_pages_have_no_accessibility_violation(
    open_page: Open, path: str, size: tuple[int, int], theme: str
) -> None:
    make_token("cost:read", "events:write", name="<script>alert(1)</script>" + "x" * 35)
    page = opened_by_admin(open_page, path, size, theme)
    assert violations(page) == []
    assert overflow(page) == 0


def test_a_token_is_made_by_keyboard_shown_once_and_revoked(open_page: Open) -> None:
    page = opened_by_admin(open_page, "/admin/tokens", PHONE, "light")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("billing")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    token = page.get_by_label("The new token")
    expect(token).to_contain_text("hp_")
    assert violations(page) == []
    assert overflow(page) == 0
    page.goto(page.url)
    expect(token).to_have_count(0)
    page.get_by_role("link", name="Revoke").click()
    expect(page.get_by_role("heading", name="Revoke billing?")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Revoke it for good").click()
    expect(page.get_by_text("The token billing is revoked")).to_be_visible()
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()


def test_both_pages_work_without_a_script(open_page: Open) -> None:
    page = open_page("/healthz/live", java_script_enabled=False)
    User.objects.update(is_superuser=True)
    page.goto(page.url.replace("/healthz/live", "/admin/tokens"))
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_label("cost:read").check()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("The new token")).to_contain_text("hp_")
