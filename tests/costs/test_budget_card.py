"""The card that says how much of the budget of everything is used."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from costs import budget_card, month, queries
from costs.budget_card import BudgetCard
from costs.budget_page import CAPS
from costs.budgets import save_budget
from costs.models import CostBudget
from costs.throttle.scopes import Scope
from tests.costs.factories import days_ago, make_admin, make_global_day, today

pytestmark = pytest.mark.django_db

EVERYTHING = Scope("global", "")


def capped(scope: Scope = EVERYTHING, **caps: object) -> None:
    save_budget(scope, caps, actor="ada", reason="a quiet month")


def card() -> BudgetCard:
    return budget_card.budget_card(queries.days(month.days_read(today())), today())


def test_it_shows_the_fullest_cap_as_the_budgets_page_counts_it() -> None:
    make_global_day(today(), "7.50", jobs=30)
    capped(daily_cost_usd_cap=Decimal(10), daily_jobs_cap=100, llm_input_tokens_cap=5)
    found = card()
    assert found.fullest is not None
    assert (found.fullest.used, found.what, found.word, found.others) == (75, "today’s spend", "Within", 2)


def test_a_month_counts_from_its_first_day_with_today() -> None:
    first = today().replace(day=1)
    make_global_day(first - timedelta(days=1), "500")
    make_global_day(first, "4")
    if first != today():
        make_global_day(today(), "5")
    capped(monthly_cost_usd_cap=Decimal(10))
    assert card().fullest.used == (90 if first != today() else 40)  # type: ignore[union-attr] # there is a cap


@pytest.mark.parametrize(("cost", "word"), [("79", "Within"), ("80", "Near"), ("100", "Over")])
def test_near_and_over_are_said_in_words(cost: str, word: str) -> None:
    make_global_day(today(), cost)
    capped(daily_cost_usd_cap=Decimal(100))
    assert card().word == word


def test_budgets_of_parts_alone_are_told_but_not_taken_for_one_on_everything() -> None:
    capped(Scope("tier", "free"), daily_jobs_cap=1)
    capped(Scope("tier", "pro"), daily_jobs_cap=1)
    assert card() == BudgetCard(elsewhere=2)


def test_a_changed_budget_shows_on_the_page_at_once(client: Client) -> None:
    client.force_login(make_admin())
    make_global_day(days_ago(1), "1")
    make_global_day(today(), "5")

    def shown() -> str:
        return client.get("/admin/cost").content.decode().split('id="kpi-budget"')[1].split("</article>")[0]

    assert "No cap on everything" in shown()
    capped(daily_cost_usd_cap=Decimal(4))
    assert "125 %" in shown()
    assert "Over" in shown()
    capped(daily_cost_usd_cap=Decimal(50))
    assert "10 %" in shown()


def test_every_cap_is_called_by_its_own_words() -> None:
    assert set(budget_card.PERIODS) == {cap.label for cap in CAPS}


def test_the_cap_on_everything_is_found_however_many_domains_have_theirs() -> None:
    names = [f"domain-{number}" for number in range(budget_card.MOST + 1)]
    CostBudget.objects.bulk_create(CostBudget(apply_scope="domain", scope_key=name) for name in names)
    make_global_day(today(), "1", jobs=30)
    capped(daily_jobs_cap=100)
    assert card().what == "today’s jobs"
