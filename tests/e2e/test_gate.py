"""The pages outside the admin: front page, sign-in, refusals; accessible and within the policy."""

import pytest
from playwright.sync_api import expect

from tests.costs.factories import make_staff
from tests.e2e.conftest import Open, violations

pytestmark = pytest.mark.django_db(transaction=True)


def test_signing_in_leads_to_the_cost_page_and_signing_out_back(open_page: Open) -> None:
    make_staff("operator", password="correct horse battery")
    page = open_page("/admin/cost", signed_in=False)
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    assert violations(page) == []
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Cost", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_the_second_factor_can_be_set_up(open_page: Open) -> None:
    make_staff("careful", password="correct horse battery")
    page = open_page("/accounts/2fa/", signed_in=False)
    page.get_by_label("Username").fill("careful")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Activate").click()
    assert violations(page) == []
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("img.qr")).to_be_visible()
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    assert violations(page) == []
