"""Budgets in a real browser against a real worker: what is saved there decides which job runs next."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from costs.usage import fold_pending
from healthpilot.dataqueue.models import Job, State
from tests.costs.counters import fresh_counters
from tests.costs.events import job, store
from tests.e2e.conftest import DESKTOP, Open
from tests.healthpilot.dataqueue.jobs import put, seen
from tests.healthpilot.dataqueue.kinds import TABLE
from tests.healthpilot.dataqueue.worker import Worker

__all__ = ["fresh_counters"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_counters")]
USED = 85


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    """A real worker with its ticks, and the table that its jobs write to."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    with Worker(beat=True, concurrency=2, HEALTHPILOT_VAR=tmp_path) as running:
        yield running
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_rows")


def cap_jobs(page: Page, cap: int) -> None:
    """Set the cap of jobs a day as a person does, and wait until the page says that it holds."""
    page.get_by_label("Jobs a day").fill(f"{cap}")
    page.get_by_label("Reason").fill("the month is nearly over")
    page.get_by_role("button", name="Save the budget").click()
    expect(page.get_by_text("is saved and binds from the next check on")).to_be_visible()


TYPED_ON_ARRIVAL = """([name, value]) => {
    new MutationObserver((changes, observer) => {
        const input = document.querySelector(`#controls input[name=${name}]`);
        if (!input) return;
        observer.disconnect();
        input.value = value;
        input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }).observe(document.getElementById("controls"), { childList: true, subtree: true });
}"""


def becomes(job_id: int, *states: State, limit_s: float = 60) -> Job:
    """Wait until a job is in one of the states and return it."""
    end = time.monotonic() + limit_s
    while (found := seen(job_id)).state not in states:
        assert time.monotonic() < end, f"job {job_id} is {found.state} after {limit_s:.0f} s"
        time.sleep(0.1)
    return found


def test_without_scripts_caps_are_replayed_at_an_address_of_their_own_and_then_saved(open_page: Open) -> None:
    noon = datetime.now(UTC).replace(hour=12) - timedelta(days=1)
    store(*(job(noon, user_id=f"u{number}", tier="free") for number in range(10)))
    fold_pending()
    page = open_page("/admin/cost/budget?scope=global", DESKTOP, as_admin=True, java_script_enabled=False)
    page.get_by_label("Jobs a day").fill("5")
    page.get_by_role("button", name="Replay 7 days").click()
    expect(page.get_by_text("6 jobs would have waited, on 1 of 7 days")).to_be_visible()
    assert "daily_jobs_cap=5" in page.url
    assert "csrf" not in page.url
    page.get_by_role("link", name="Change the budget to this").click()
    expect(page.get_by_label("Jobs a day")).to_have_value("5")
    page.get_by_label("Reason").fill("seen before it was saved")
    page.get_by_role("button", name="Save the budget").click()
    expect(page.get_by_text("is saved and binds from the next check on")).to_be_visible()


@pytest.mark.usefixtures("month")
def test_a_cap_is_changed_and_undone_beside_the_figures_without_leaving_them(open_page: Open) -> None:
    page = open_page("/admin/cost", DESKTOP, as_admin=True)
    controls = page.locator("#controls")
    page.evaluate(TYPED_ON_ARRIVAL, ["daily_jobs_cap", "1000000"])
    controls.get_by_role("link", name="Cap everything").click()
    expect(controls.get_by_text("all tiers go on")).to_be_visible()
    controls.get_by_label("Reason").fill("a first bound")
    page.locator("#refresh-now").click()
    expect(controls.get_by_label("Jobs a day")).to_have_value("1000000")
    controls.get_by_role("button", name="Save the budget").click()
    expect(controls.get_by_text("binds from the next check on")).to_be_visible()
    expect(controls.get_by_text("of 1,000,000")).to_be_visible()
    controls.get_by_role("button", name="Undo").click()
    expect(controls.get_by_text("is as it was before")).to_be_visible()
    assert page.url.endswith("/admin/cost")


@pytest.mark.usefixtures("worker")
def test_lowering_a_cap_in_the_browser_throttles_the_next_free_tier_job(open_page: Open) -> None:
    now = datetime.now(UTC)
    store(*(job(now, user_id=f"u{number}", tier="pro", domain="sync") for number in range(USED)))
    before = put(tier="free", payload={"batches": 1})
    becomes(before, State.SUCCEEDED)

    page = open_page("/admin/cost/budget?scope=global", DESKTOP, as_admin=True)
    cap_jobs(page, 100)
    free, paid = (put(tier=tier, payload={"batches": 1}) for tier in ("free", "enterprise"))
    held = becomes(free, State.DEFERRED)
    assert "100 jobs for everything (80 jobs for this tier)" in held.defer_reason
    becomes(paid, State.SUCCEEDED)
    assert seen(free).state == State.DEFERRED

    page.goto(f"{page.url.split('/admin')[0]}/admin/jobs/{free}")
    expect(page.get_by_text("100 jobs for everything (80 jobs for this tier)").first).to_be_visible()

    page.goto(f"{page.url.split('/admin')[0]}/admin/cost/budget?scope=global")
    cap_jobs(page, 1000)
    becomes(free, State.SUCCEEDED)
