"""The cost page in a real browser: it fits, is accessible, works by keyboard, and without scripts too."""

import re

import pytest
from playwright.sync_api import expect

from tests.costs.factories import (
    days_ago,
    make_breakdown,
    make_global_day,
    make_user_day,
    make_windows,
    today,
)
from tests.e2e.conftest import DESKTOP, PHONE, TABLET, Open, drawn, overflow, violations

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = [
    "<script>alert(1)</script>",
    "\u202eمرحبا evil",
    "=cmd()|'/C calc'!A0",
    "🦄" * 20,
    "漢字" * 20,
    "W" * 40,
    "a" * 40,
]


@pytest.mark.usefixtures("month")
@pytest.mark.parametrize("size", [TABLET, TABLET[::-1]])
def test_the_dashboard_renders_on_an_ipad_viewport_without_overflow(
    open_page: Open, size: tuple[int, int]
) -> None:
    page = open_page("/admin/cost", size)
    drawn(page)
    assert overflow(page) == 0
    expect(page.get_by_role("heading", name="Cost", exact=True)).to_be_visible()
    assert page.locator("#kpi-spend .kpi-value").inner_text().startswith("$")


@pytest.mark.usefixtures("month")
@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_the_page_with_opened_details_has_no_accessibility_violation(
    open_page: Open, size: tuple[int, int], theme: str
) -> None:
    page = open_page("/admin/cost", size, theme=theme)
    drawn(page)
    for details in page.locator("details.data, details.more").all()[:3]:
        if details.is_visible():
            details.locator("summary").click()
    assert violations(page) == []
    assert overflow(page) == 0


def test_a_range_without_data_leads_to_where_the_data_are(open_page: Open) -> None:
    make_global_day(days_ago(200), "5", ai_calls=3)
    page = open_page("/admin/cost?days=abc")
    expect(page.get_by_text("No events in these days")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Show .* 20")).click()
    expect(page.locator("#kpi-spend")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, TABLET, DESKTOP])
def test_hostile_names_are_plain_text_and_push_nothing_out_of_place(
    open_page: Open, size: tuple[int, int]
) -> None:
    make_global_day(days_ago(1), "0.000042", jobs=9, ai_calls=9)
    for name in HOSTILE:
        make_user_day(days_ago(1), name, "0.000006", tier=name[:16])
        make_breakdown(days_ago(1), "tier", name[:16], "0.000006")
        make_breakdown(days_ago(1), "domain", name[:16], "0.000006", jobs=3)
        make_breakdown(days_ago(1), "model", name, "0", ai_calls=2, unpriced_calls=1)
    make_windows()
    page = open_page("/admin/cost?days=7", size)
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    drawn(page)
    assert set(page.locator(".uid").all_text_contents()) == set(HOSTILE)
    assert overflow(page) == 0


@pytest.mark.usefixtures("month")
def test_charts_are_hidden_from_assistive_technology_and_described_by_a_sentence(open_page: Open) -> None:
    page = open_page("/admin/cost")
    drawn(page)
    for figure in page.locator("figure").all():
        assert figure.locator(".plot").get_attribute("aria-hidden") == "true"
        described = figure.get_attribute("aria-describedby")
        assert page.locator(f"#{described}").inner_text().strip()
    assert page.locator(".plot a, .plot button, .plot [tabindex='0']").count() == 0


@pytest.mark.usefixtures("month")
def test_choosing_a_range_swaps_the_figures_pushes_the_address_and_keeps_the_focus(open_page: Open) -> None:
    page = open_page("/admin/cost")
    drawn(page)
    before = page.locator("#kpi-spend .kpi-value").inner_text()
    page.locator("#range-7").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#range-7")).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile("days=7"))
    drawn(page)
    assert page.locator("#kpi-spend .kpi-value").inner_text() != before
    assert page.evaluate("document.activeElement.id") == "range-7"
    expect(page.locator("#live")).to_contain_text("Cost, ")
    page.go_back()
    expect(page.locator("#range-30")).to_have_attribute("aria-current", "true")
    drawn(page)
    assert page.locator("#kpi-spend .kpi-value").inner_text() == before


@pytest.mark.usefixtures("month")
def test_own_days_can_be_chosen(open_page: Open) -> None:
    page = open_page("/admin/cost", PHONE)
    page.locator("#range-custom").click()
    page.get_by_label("From").fill(str(days_ago(9)))
    page.get_by_label("To, included").fill(str(days_ago(3)))
    page.get_by_role("button", name="Show these days").click()
    expect(page).to_have_url(re.compile(f"from={days_ago(9)}&to={days_ago(3)}"))
    expect(page.locator("#range-custom")).to_have_attribute("aria-current", "true")
    drawn(page)


@pytest.mark.usefixtures("month")
def test_typing_filters_users_and_paging_goes_there_and_back(open_page: Open) -> None:
    page = open_page("/admin/cost")
    first = page.locator(".uid").all_text_contents()
    page.locator("#users-next").click()
    expect(page).to_have_url(re.compile("cursor="))
    expect(page.locator(".uid").first).not_to_have_text(first[0])
    page.locator("#users-previous").click()
    expect(page.locator(".uid").first).to_have_text(first[0])
    page.locator("#user-filter").press_sequentially(first[2])
    expect(page.locator(".uid")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "user-filter"
    page.locator("#user-filter").fill("nobody")
    expect(page.get_by_text("No user starts with")).to_be_visible()
    page.get_by_role("link", name="Clear the filter").click()
    expect(page.locator(".uid").first).to_have_text(first[0])


@pytest.mark.usefixtures("month")
def test_the_theme_changes_at_once_redraws_the_charts_and_is_kept(open_page: Open) -> None:
    page = open_page("/admin/cost")
    drawn(page)
    grid = "getComputedStyle(document.querySelector('#tiers .ygrid')).stroke"
    dark = page.evaluate(grid)
    page.get_by_role("button", name="Light theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.wait_for_function(f"{grid} !== '{dark}'")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.get_by_role("button", name="Light theme")).to_have_attribute("aria-pressed", "true")


@pytest.mark.usefixtures("month")
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_page_is_readable_and_usable_without_scripts(open_page: Open, size: tuple[int, int]) -> None:
    page = open_page("/admin/cost", size, java_script_enabled=False)
    for caption in (
        "Cost per day by tier",
        "Jobs, failures, queue wait",
        "LLM calls, tokens and cache hit-rate",
    ):
        table = page.locator("table", has=page.locator("caption", has_text=caption))
        expect(table.locator("tbody tr").first).to_be_visible()
    expect(page.locator(".plot").first).to_be_hidden()
    page.locator("#range-7").click()
    expect(page).to_have_url(re.compile("days=7"))
    page.locator("#view-table").click()
    expect(page.locator("#view-table")).to_have_attribute("aria-current", "true")
    page.locator("#user-filter").fill("usr_")
    page.locator("#user-filter").press("Enter")
    expect(page).to_have_url(re.compile("days=7.*q=usr_"))


@pytest.mark.usefixtures("month")
def test_without_an_answer_the_old_figures_stay_and_a_line_says_so(open_page: Open) -> None:
    page = open_page("/admin/cost", expected=("htmx:", "net::ERR_FAILED"))
    before = page.locator("#kpi-spend .kpi-value").inner_text()
    page.route("**/admin/cost?**", lambda route: route.abort())
    page.locator("#range-7").click()
    expect(page.get_by_text("No answer from the server")).to_be_visible()
    assert page.locator("#kpi-spend .kpi-value").inner_text() == before
    page.unroute("**/admin/cost?**")
    page.locator("#range-7").click()
    expect(page.locator("#range-7")).to_have_attribute("aria-current", "true")
    expect(page.get_by_text("No answer from the server")).to_be_hidden()


def test_commands_of_the_first_visit_can_be_copied(open_page: Open) -> None:
    page = open_page("/admin/cost", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the sample data command").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("./run manage seed_telemetry --days 60")


@pytest.mark.usefixtures("month")
def test_narrow_columns_and_large_text_do_not_overflow(open_page: Open) -> None:
    """320 px is 1280 px at 400 % zoom, where WCAG wants no scrolling in two directions."""
    page = open_page("/admin/cost", (320, 640))
    drawn(page)
    assert overflow(page) == 0


@pytest.mark.usefixtures("month")
def test_forced_colours_keep_the_chosen_range_visible(open_page: Open) -> None:
    page = open_page("/admin/cost", forced_colors="active")
    drawn(page)
    assert overflow(page) == 0
    chosen = page.locator("#range-30")
    assert chosen.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_a_cost_of_today_alone_is_drawn(open_page: Open) -> None:
    make_global_day(today(), "3", jobs=2)
    make_breakdown(today(), "tier", "pro", "3")
    page = open_page("/admin/cost?days=7")
    expect(page.locator("#tiers .barlayer .point").first).to_be_attached()
    bars = page.locator("#tiers .barlayer .point path").all()
    assert [bar for bar in bars if (box := bar.bounding_box()) and box["height"] > 20]
