"""The budgets page: who may change what, a change with its reason, its conflict and its undoing."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from costs import alerting
from costs.models import NO_CAP, CostBudget, CostDecision
from costs.throttle import check_budget_and_maybe_defer
from costs.throttle.decisions import waiting
from systemstatus.models import AuditEntry
from tests.costs.factories import days_ago, make_breakdown, make_global_day, make_staff, make_user_day

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_counters")]
LIST = "/admin/cost/budgets"
FREE = "/admin/cost/budget?scope=tier&key=free"


def save(client: Client, path: str = FREE, **typed: Any) -> Any:
    budget = CostBudget.objects.first()
    seen = budget.updated_at.isoformat() if budget else ""
    return client.post(path, {"reason": "try", "seen": seen, **typed}, follow=True)


def test_a_first_visit_says_that_nothing_is_capped_and_offers_a_scope(admin: Client) -> None:
    page = admin.get(LIST).content.decode()
    assert "Nothing is capped yet" in page
    assert "scope=user&amp;key=*" in page


def test_a_cap_that_is_saved_shows_with_what_is_used_and_binds(admin: Client) -> None:
    make_global_day(days_ago(0), "0.5", jobs=30)
    make_breakdown(days_ago(0), "tier", "free", "0.5", jobs=30)
    page = save(admin, daily_jobs_cap="40", daily_cost_usd_cap="2.50").content.decode()
    assert "The budget of tier free is saved and binds from the next check on." in page
    assert "75 % of 40" in admin.get(LIST).content.decode()
    assert "20 % of $2.50" in admin.get(LIST).content.decode()
    budget = CostBudget.objects.get()
    assert (budget.daily_jobs_cap, budget.daily_cost_usd_cap) == (40, Decimal("2.5"))
    assert budget.llm_input_tokens_cap == NO_CAP
    assert AuditEntry.objects.get().reason == "try"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"daily_jobs_cap": "-1"}, "Write a whole number from 0"),
        ({"monthly_cost_usd_cap": "lots"}, "Write US dollars from 0"),
        ({"daily_jobs_cap": "5", "reason": " "}, "Say why"),
    ],
)
def test_what_cannot_be_saved_is_told_on_its_line_and_what_was_typed_stays(
    admin: Client, typed: dict[str, str], said: str
) -> None:
    answer = save(admin, **typed)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert next(iter(typed.values())).strip() in page
    assert not CostBudget.objects.exists()


def test_the_effect_is_told_before_anything_is_saved(admin: Client) -> None:
    make_global_day(days_ago(0), "0.5", jobs=85)
    path = "/admin/cost/budget/effect?scope=global&key="
    said = admin.post(path, {"daily_jobs_cap": "100"}).content.decode()
    assert "85 % is used already, so jobs of free wait until the day is over." in said
    assert "no work of everything runs at all" in admin.post(path, {"daily_jobs_cap": "0"}).content.decode()
    assert not CostBudget.objects.exists()


def test_an_editor_who_comes_second_is_told_and_loses_nothing(admin: Client) -> None:
    save(admin, daily_jobs_cap="5")
    answer = admin.post(FREE, {"reason": "late", "seen": "", "daily_jobs_cap": "7"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "root changed it at" in page
    assert 'value="7"' in page
    assert CostBudget.objects.get().daily_jobs_cap == 5


def test_the_last_change_can_be_undone_once(admin: Client) -> None:
    save(admin, daily_jobs_cap="5")
    page = save(admin, daily_jobs_cap="6").content.decode()
    assert "You changed this at" in page
    admin.post("/admin/cost/budget/undo")
    assert CostBudget.objects.get().daily_jobs_cap == 5
    answer = admin.post("/admin/cost/budget/undo", follow=True)
    assert "There is nothing to undo here." in answer.content.decode()


def test_undoing_the_first_budget_of_a_scope_removes_it(admin: Client) -> None:
    save(admin, daily_jobs_cap="0")
    assert not check_budget_and_maybe_defer(tier="free", domain="ai")
    admin.post("/admin/cost/budget/undo")
    assert not CostBudget.objects.exists()
    assert check_budget_and_maybe_defer(tier="free", domain="ai")


def test_nothing_is_undone_over_what_somebody_else_saved(admin: Client) -> None:
    save(admin, daily_jobs_cap="5")
    CostBudget.objects.update(daily_jobs_cap=9, updated_by="eve", updated_at=timezone.now())
    page = admin.post("/admin/cost/budget/undo", follow=True).content.decode()
    assert "Not undone." in page
    assert CostBudget.objects.get().daily_jobs_cap == 9


def test_who_waits_and_why_is_listed(admin: Client) -> None:
    save(admin, daily_jobs_cap="0")
    check_budget_and_maybe_defer(tier="free", domain="ai", user_id="<script>alert(1)</script>")
    waiting.write()
    assert CostDecision.objects.get().action == "defer"
    page = admin.get(LIST).content.decode()
    assert "leaves no room for 1 job:" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_viewers_look_and_do_not_change(client: Client) -> None:
    client.force_login(make_staff("viewer"))
    assert client.get(LIST).status_code == 200
    assert "Cap something" not in client.get(LIST).content.decode()
    assert client.get(FREE).status_code == 403
    assert client.post("/admin/cost/budget/undo").status_code == 403


def test_a_hundred_budgets_take_no_more_queries_than_two(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    for name in ["a", "b", *(f"u{number}" for number in range(100))]:
        CostBudget.objects.create(
            apply_scope="user", scope_key=name, daily_jobs_cap=9, daily_cost_usd_cap=1, updated_by="ada"
        )
    with django_assert_max_num_queries(13):
        assert "more bind as well" not in admin.get(LIST).content.decode()
    with django_assert_max_num_queries(12):
        admin.get("/api/admin/cost/budgets")
    with django_assert_max_num_queries(3):
        shares = alerting.caps_reading().values["cost.budget"]
    assert isinstance(shares, dict)
    assert len(shares) == 204


def test_budgets_beyond_what_a_page_lists_are_counted_and_told_of(admin: Client) -> None:
    CostBudget.objects.bulk_create(
        CostBudget(apply_scope="user", scope_key=f"u{number:03}", daily_jobs_cap=9, updated_by="ada")
        for number in range(203)
    )
    assert "3 more bind as well" in admin.get(LIST).content.decode()
    make_user_day(days_ago(0), "u202", "1", jobs=9)
    assert [finding.value for finding in alerting.findings(timezone.now())] == [100]


@pytest.mark.parametrize(
    "query", ["scope=planet&key=x", "scope=tier", "scope=global&key=x", "scope=user&key=%00"]
)
def test_an_address_that_names_no_scope_leads_back_with_a_reason(admin: Client, query: str) -> None:
    answer = admin.get(f"/admin/cost/budget?{query}", follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "scope" in answer.content.decode()
