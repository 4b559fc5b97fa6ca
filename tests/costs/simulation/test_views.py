"""The page of a simulation: who may look, what it says, where its address leads, and what it refuses."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from costs.models import CostBudget
from costs.usage import fold_pending
from tests.costs.events import job, store
from tests.costs.factories import days_ago, make_staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_counters")]
PAGE = "/admin/cost/budget/simulation?scope=global&key="
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def usage() -> None:
    """Ten jobs of a free user yesterday at ten, and two of a paying user at noon."""
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    store(
        *(job(noon - timedelta(hours=2), user_id=HOSTILE, tier="free", cpu_ms=10) for _ in range(10)),
        *(job(noon, user_id="payer", tier="enterprise", cpu_ms=10) for _ in range(2)),
    )
    fold_pending()


def shown(client: Client, query: str) -> str:
    answer = client.get(f"{PAGE}{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.usefixtures("usage")
def test_it_says_how_much_waits_when_who_and_how_long_and_changes_nothing(admin: Client) -> None:
    page = shown(admin, "&days=7&daily_jobs_cap=5")
    # 80 % of 5 is 4: free waits after four of ten evenly spread jobs, at 10:24; enterprise after five in all.
    assert "7 jobs would have waited, on 1 of 7 days" in page
    assert "free 10:24 · enterprise 12:30" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert HOSTILE not in page
    assert not CostBudget.objects.exists()


@pytest.mark.usefixtures("usage")
def test_a_cap_with_room_lets_all_run(admin: Client) -> None:
    page = shown(admin, "&days=30&daily_jobs_cap=500")
    assert "Nothing would have waited in these 30 days" in page
    assert "Whose work would have waited" not in page


def test_days_without_usage_say_so(admin: Client) -> None:
    assert "Nothing was recorded in these days" in shown(admin, "&daily_jobs_cap=5")


def test_a_cap_that_is_none_is_named_and_nothing_is_replayed(admin: Client) -> None:
    answer = admin.get(f"{PAGE}&daily_jobs_cap=lots")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Jobs a day: Write a whole number" in page
    assert "Correct the caps" in page


def test_the_change_form_leads_to_an_address_without_its_token_and_reason(admin: Client) -> None:
    typed = {"daily_jobs_cap": "5", "reason": "secret", "csrfmiddlewaretoken": "x", "days": "30"}
    answer = admin.post(PAGE, typed)
    assert answer.status_code == 302
    assert answer["Location"] == ("/admin/cost/budget/simulation?scope=global&key=&days=30&daily_jobs_cap=5")


@pytest.mark.usefixtures("usage")
def test_htmx_gets_the_short_answer_inside_the_form(admin: Client) -> None:
    answer = admin.post(PAGE, {"daily_jobs_cap": "5", "days": "7"}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "7 jobs would have waited" in page
    assert "<html" not in page
    assert "days=7&amp;daily_jobs_cap=5" in page


def test_its_button_fills_the_change_form(admin: Client) -> None:
    page = shown(admin, "&daily_jobs_cap=5")
    assert "Change the budget to this" in page
    form = admin.get("/admin/cost/budget?scope=global&key=&daily_jobs_cap=5").content.decode()
    assert 'name="daily_jobs_cap" value="5"' in form


@pytest.mark.usefixtures("usage")
def test_too_much_for_a_request_is_said(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costs.simulation.views.LIMIT_MS", 1)
    monkeypatch.setattr("costs.simulation.demand.HOURS", "SELECT pg_sleep(1) WHERE {condition}")
    page = shown(admin, "&daily_jobs_cap=5")
    assert "too much to replay while a page waits" in page
    assert "the caps tried" in page
    assert "<b>5</b>" in page


def test_viewers_look_and_are_not_offered_to_change(client: Client) -> None:
    client.force_login(make_staff("viewer"))
    assert "Change the budget to this" not in shown(client, "&daily_jobs_cap=5")


@pytest.mark.parametrize("query", ["?scope=planet&key=x", "?scope=tier"])
def test_an_address_that_names_no_scope_leads_to_the_budgets(admin: Client, query: str) -> None:
    answer: Any = admin.get(f"/admin/cost/budget/simulation{query}", follow=True)
    assert answer.redirect_chain == [("/admin/cost/budgets", 302)]


@pytest.mark.usefixtures("usage")
def test_a_changed_cursor_starts_the_list_again(admin: Client) -> None:
    assert "payer" in shown(admin, f"&daily_jobs_cap=0&cursor=x{days_ago(1)}")
