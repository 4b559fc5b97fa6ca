"""Budgets over HTTP: who may read and set them, what is refused, and that they bind."""

from typing import Any

import pytest
from django.test import Client

from costs.models import CostBudget
from costs.throttle import check_budget_and_maybe_defer
from costs.throttle.scopes import Scope
from healthpilot.tokens.issuing import issue
from systemstatus.models import AuditEntry
from tests.costs.factories import days_ago, make_global_day, make_staff
from tests.costs.waiting import make_waiting_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_counters")]
PATH = "/api/admin/cost/budgets"


def post(client: Client, **body: Any) -> Any:
    return client.post(PATH, body, content_type="application/json")


def test_a_budget_that_is_posted_binds_the_next_check_and_is_listed_with_what_is_used(admin: Client) -> None:
    make_global_day(days_ago(0), "0.25", jobs=3)
    answer = post(admin, apply_scope="global", daily_jobs_cap=3, daily_cost_usd_cap="1.5", reason="try")
    assert answer.status_code == 200, answer.content
    assert answer.json()["in_force"] is True
    [listed] = admin.get(PATH).json()["budgets"]
    assert [listed[name] for name in ("daily_jobs_cap", "daily_cost_usd_cap")] == [3, "1.5"]
    assert listed["daily_cpu_ms_cap"] is None
    assert (listed["used"]["jobs"], listed["used"]["day_usd"]) == (3, "0.25")
    assert AuditEntry.objects.get().actor == "root"


def test_budgets_are_listed_by_kind_and_key_a_page_at_a_time_both_ways(admin: Client) -> None:
    scopes = ["user b", "tier pro", "global ", "user a", "domain ai", "user *", "tier free"]
    for scope in scopes:
        kind, _, key = scope.partition(" ")
        CostBudget.objects.create(apply_scope=kind, scope_key=key, daily_jobs_cap=1)
    whole = admin.get(PATH).json()
    listed = [f"{one['apply_scope']} {one['scope_key']}" for one in whole["budgets"]]
    assert [name.split()[0] for name in listed] == [
        "global",
        "tier",
        "tier",
        "domain",
        "user",
        "user",
        "user",
    ]
    assert sorted(listed) == sorted(scopes)
    assert (whole["next_cursor"], whole["previous_cursor"]) == (None, None)

    pages, cursor = [admin.get(PATH, {"limit": 3}).json()], ""
    while cursor := pages[-1]["next_cursor"]:
        pages.append(admin.get(PATH, {"limit": 3, "cursor": cursor}).json())
    assert [one for page in pages for one in page["budgets"]] == whole["budgets"]
    back = admin.get(PATH, {"limit": 3, "cursor": pages[-1]["previous_cursor"]}).json()
    assert back["budgets"] == pages[-2]["budgets"]
    assert admin.get(PATH, {"cursor": "x"}).status_code == 422
    assert admin.get(PATH, {"limit": 0}).status_code == 422


def test_posting_again_changes_the_one_row_and_leaves_what_is_not_named(admin: Client) -> None:
    post(admin, apply_scope="tier", scope_key="free", daily_jobs_cap=3)
    post(admin, apply_scope="tier", scope_key="free", daily_cpu_ms_cap=0)
    budget = CostBudget.objects.get()
    assert (budget.daily_jobs_cap, budget.daily_cpu_ms_cap) == (3, 0)
    assert not check_budget_and_maybe_defer(tier="free", domain="ai")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"apply_scope": "global", "daily_jobs_cap": -1}, "daily_jobs_cap"),
        ({"apply_scope": "global", "daily_jobs_cap": 10**30}, "daily_jobs_cap"),
        ({"apply_scope": "planet"}, "apply_scope"),
        ({"apply_scope": "tier"}, "scope_key"),
        ({"apply_scope": "global", "monthly_cost_usd_cap": "NaN"}, "monthly_cost_usd_cap"),
        ({"apply_scope": "global", "daily_job_cap": 5}, "daily_job_cap"),
        ({"apply_scope": "global", "daily_jobs_cap": True}, "daily_jobs_cap"),
    ],
)
def test_what_is_no_budget_is_refused_by_name_and_nothing_is_saved(
    admin: Client, body: dict[str, Any], field: str
) -> None:
    answer = post(admin, **body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(f"{field}:")
    assert not CostBudget.objects.exists()


def test_two_editors_at_once_do_not_overwrite_each_other(admin: Client) -> None:
    seen = post(admin, apply_scope="global", daily_jobs_cap=5).json()["updated_at"]
    assert post(admin, apply_scope="global", daily_jobs_cap=6, if_updated_at=seen).status_code == 200
    late = post(admin, apply_scope="global", daily_jobs_cap=7, if_updated_at=seen)
    assert late.status_code == 409
    assert "root changed it" in late.json()["error"]["message"]
    assert CostBudget.objects.get().daily_jobs_cap == 6


def test_a_budget_is_removed_and_one_for_which_work_waits_only_when_it_may_run(admin: Client) -> None:
    post(admin, apply_scope="tier", scope_key="free", daily_jobs_cap=0)
    make_waiting_job(Scope("tier", "free"))
    path = f"{PATH}?apply_scope=tier&scope_key=free&reason=done"
    refused = admin.delete(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "budget_in_use")
    assert CostBudget.objects.exists()
    assert admin.delete(f"{path}&release=true").json() == {"removed": True, "in_force": True}
    assert admin.delete(path).json()["error"]["code"] == "budget_conflict"
    assert admin.delete(f"{PATH}?apply_scope=planet").status_code == 422


def test_a_token_needs_the_scope_and_an_account_the_role(client: Client) -> None:
    client.force_login(make_staff("viewer"))
    assert post(client, apply_scope="global").status_code == 403
    client.logout()
    body, kind = {"apply_scope": "global", "daily_jobs_cap": 1}, "application/json"
    for scope, status in (("cost:read", 403), ("budgets:write", 200)):
        token = issue(name=scope, scopes=[scope], created_by="maren").text
        answer = client.post(PATH, body, kind, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, answer.content
    assert CostBudget.objects.get().updated_by == "token budgets:write"
