"""Budgets are saved whole or not at all, seen first, audited, and known to the next check."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from costs.budgets import BudgetConflict, BudgetError, BudgetInUse, remove_budget, save_budget
from costs.models import NO_CAP, CostBudget
from costs.throttle import check_budget_and_maybe_defer
from costs.throttle.scopes import Scope
from healthpilot.dataqueue.models import Job
from systemstatus.models import AuditEntry
from tests.costs.waiting import make_waiting_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_counters")]
GLOBAL = Scope("global")


def save(limits: dict[str, Any], scope: Scope = GLOBAL, **options: Any) -> CostBudget:
    return save_budget(scope, limits, actor="ada", **options).budget


def test_a_scope_has_one_budget_and_what_is_not_named_stays() -> None:
    save({"daily_jobs_cap": 5, "daily_cost_usd_cap": "12.50"})
    budget = save({"daily_jobs_cap": None})
    assert CostBudget.objects.count() == 1
    assert (budget.daily_jobs_cap, budget.daily_cost_usd_cap) == (NO_CAP, Decimal("12.5"))


def test_the_next_check_knows_what_was_saved() -> None:
    scope = Scope("tier", "free")
    assert check_budget_and_maybe_defer(tier="free", domain="ai")
    save({"daily_jobs_cap": 0}, scope)
    assert not check_budget_and_maybe_defer(tier="free", domain="ai")
    assert remove_budget(scope, actor="ada")
    assert check_budget_and_maybe_defer(tier="free", domain="ai")


def test_who_changed_what_from_what_and_why_is_kept() -> None:
    save({"daily_jobs_cap": 5})
    save({"daily_jobs_cap": 4}, reason="month end")
    entry = AuditEntry.objects.order_by("-id").first()
    assert entry
    assert (entry.actor, entry.action, entry.target, entry.reason) == (
        "ada",
        "budget.save",
        "global:",
        "month end",
    )
    assert entry.before
    assert entry.after
    assert (entry.before["daily_jobs_cap"], entry.after["daily_jobs_cap"]) == ("5", "4")
    assert entry.after["monthly_cost_usd_cap"] == "no cap"


@pytest.mark.parametrize("value", [-1, "-1", "1.5", "٣", "1e3", True, 10**16, [], "lots", ""])
def test_a_count_that_is_no_cap_is_refused_by_name(value: object) -> None:
    with pytest.raises(BudgetError, match="whole number") as refused:
        save({"daily_jobs_cap": value})
    assert refused.value.field == "daily_jobs_cap"
    assert not CostBudget.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("value", ["-0.01", "NaN", "Infinity", "1e99", "0.0000001", "$5", [], "1,000"])
def test_an_amount_that_is_no_cap_is_refused_by_name(value: object) -> None:
    with pytest.raises(BudgetError, match="US dollars") as refused:
        save({"monthly_cost_usd_cap": value})
    assert refused.value.field == "monthly_cost_usd_cap"


@pytest.mark.parametrize(
    ("kind", "key", "field"),
    [
        ("team", "a", "apply_scope"),
        ("global", "a", "scope_key"),
        ("tier", "", "scope_key"),
        ("user", "a\n", "scope_key"),
    ],
)
def test_a_scope_that_is_none_is_refused(kind: str, key: str, field: str) -> None:
    with pytest.raises(BudgetError) as refused:
        save({"daily_jobs_cap": 1}, Scope(kind, key))
    assert refused.value.field == field


def test_an_unknown_cap_is_refused() -> None:
    with pytest.raises(BudgetError, match="is no cap"):
        save({"id": 1})


def test_nobody_overwrites_what_they_have_not_seen() -> None:
    seen = save({"daily_jobs_cap": 5}).updated_at
    save({"daily_jobs_cap": 6}, seen=seen, must_be_seen=True)
    with pytest.raises(BudgetConflict, match="ada changed it at"):
        save({"daily_jobs_cap": 7}, seen=seen, must_be_seen=True)
    with pytest.raises(BudgetConflict):
        save({"daily_jobs_cap": 7}, seen=None, must_be_seen=True)
    with pytest.raises(BudgetConflict):
        remove_budget(GLOBAL, actor="ada", seen=seen)
    assert CostBudget.objects.get().daily_jobs_cap == 6


def test_of_two_who_make_the_first_budget_at_once_the_second_is_told() -> None:
    both_began, told = threading.Barrier(2), []

    def make(actor: str) -> None:
        both_began.wait()
        try:
            save_budget(GLOBAL, {"daily_jobs_cap": 5}, actor=actor, must_be_seen=True)
        except BudgetConflict:
            told.append(actor)
        connection.close()

    real = CostBudget.objects.update_or_create

    def slowly(**values: Any) -> Any:
        threading.Event().wait(0.2)
        return real(**values)

    with mock.patch.object(CostBudget.objects, "update_or_create", slowly), ThreadPoolExecutor(2) as editors:
        list(editors.map(make, ["ada", "bo"]))
    assert len(told) == 1
    assert CostBudget.objects.get().updated_by not in told


def test_leading_zeros_of_a_count_are_no_trick() -> None:
    assert save({"daily_jobs_cap": "0" * 30 + "7"}).daily_jobs_cap == 7


def test_a_budget_for_which_work_waits_is_removed_only_when_that_work_may_run() -> None:
    each = Scope("user", "*")
    save({"daily_jobs_cap": 0}, each)
    save({"daily_jobs_cap": 9}, Scope("user", "own"))
    make_waiting_job(Scope("user", "ada"))
    make_waiting_job(Scope("user", "own"), user_id="own")
    with pytest.raises(BudgetInUse, match="1 job waits because of this budget"):
        remove_budget(each, actor="ada")
    assert CostBudget.objects.count() == 2
    assert remove_budget(each, actor="ada", may_release=True)
    assert Job.objects.filter(not_before__lte=timezone.now()).count() == 2


def test_a_budget_that_is_gone_is_not_removed_again() -> None:
    with pytest.raises(BudgetConflict, match="it was removed"):
        remove_budget(GLOBAL, actor="ada")
