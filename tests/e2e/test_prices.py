"""The pages of prices in a real browser: they fit, are accessible, and work without scripts."""

import pytest
from playwright.sync_api import expect

from costs.rollup import rollup_costs_for_date
from tests.costs.events import call, store
from tests.costs.factories import days_ago
from tests.costs.prices.rows import store_price
from tests.e2e.conftest import DESKTOP, PHONE, Open, overflow, violations

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("gpt-4o-mini", "W" * 40, "\u202eمرحبا evil", "<script>alert(1)</script>", "🦄" * 20)


@pytest.fixture
def priced() -> None:
    """Closed days, some of whose models have got a price since, one of them free and one with a history."""
    for back in (2, 3):
        store(*(call(f"{days_ago(back)} 00:00", llm_model=name, input_tokens=10**6) for name in NAMES))
        rollup_costs_for_date(days_ago(back))
    for name in NAMES[:3]:
        store_price("0.15", "0.075", "0.6", "0.001", llm_model=name, effective_from=days_ago(9))
    store_price("0", "0", "0", llm_model=NAMES[0], effective_from=days_ago(1))


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_the_pages_of_prices_fit_and_have_no_accessibility_violation(
    open_page: Open, size: tuple[int, int], theme: str
) -> None:
    page = open_page("/admin/cost/prices", size, theme=theme, as_admin=True)
    for path in ("", "/history?model=gpt-4o-mini", "/set?model=gpt-4o-mini", "/reprice"):
        page.goto(page.url.split("/admin")[0] + "/admin/cost/prices" + path)
        assert violations(page) == [], path
        assert overflow(page) == 0, path


@pytest.mark.usefixtures("priced")
def test_without_scripts_an_admin_sets_a_price_and_reprices_the_days_it_concerns(open_page: Open) -> None:
    page = open_page("/admin/cost/prices", DESKTOP, as_admin=True, java_script_enabled=False)
    page.get_by_role("link", name=f"Set a price of {NAMES[3]}").click()
    page.get_by_label("Input", exact=True).fill("0,15")
    page.get_by_label("Output").fill("2")
    page.get_by_label("From").fill(str(days_ago(9)))
    page.get_by_label("Why").fill("new contract")
    page.get_by_role("button", name="Set this price").click()
    expect(page.get_by_text("Write the decimal point as a point")).to_be_visible()
    page.get_by_label("Input", exact=True).fill("1.5")
    page.get_by_role("button", name="Set this price").click()
    expect(page.get_by_text("In effect", exact=True)).to_be_visible()
    page.get_by_role("link", name="Look at the difference").click()
    page.get_by_role("button", name="Apply to 2 days").click()
    expect(page.get_by_text("2 days repriced: difference +")).to_be_visible()
    expect(page.get_by_text("closed days have other prices")).to_have_count(0)
