"""What jobs and AI calls ask of budgets, and what that counts as."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from costs.prices.setting import set_price
from costs.throttle import work
from costs.throttle.amounts import nano
from costs.throttle.hook import BudgetHook
from healthpilot import admission
from healthpilot.ai.actor import Actor
from healthpilot.ai.call import Call
from healthpilot.ai.usage import Usage
from tests.costs.prices.rows import price
from tests.costs.throttle.conftest import Budget
from tests.costs.throttle.test_admission import used

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _asked() -> Iterator[None]:
    """Let budgets be asked, and afterwards whoever was asked before."""
    before = admission.registered()
    admission.register(BudgetHook())
    yield
    admission.unregister()
    if before:
        admission.register(before)


def test_an_ai_call_is_no_job_and_takes_nothing_of_a_cap_on_jobs(budget: Budget) -> None:
    budget(daily_jobs_cap=2)
    for _ in range(3):
        call = Call(
            Actor("ada", "pro", "ai"), "sums", "chat", "openai", {"model": "m", "messages": "2+2"}, False
        )
        call.admit()
        call.finish(Usage(5, 7), model="m", error_code=None)
    assert (used(place=2), used(place=3), used(place=4)) == (0, 15, 21)


def test_cached_tokens_are_counted_at_their_own_price(
    budget: Budget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_rates", {})
    set_price(price(given="1", cached="0.1", made="2"))
    budget(daily_cost_usd_cap=Decimal(5))
    call = Call(
        Actor("ada", "pro", "ai"), "sums", "chat", "openai", {"model": "m-small", "messages": "2+2"}, False
    )
    call.admit()
    call.finish(Usage(1_000_000, 500_000, 900_000), model="m-small", error_code=None)
    assert used(place=5) == nano(Decimal("1.19")), "100,000 in at 1, 900,000 cached at 0.1, 500,000 out at 2"


def test_a_job_is_one_however_often_it_asks(budget: Budget) -> None:
    budget(daily_jobs_cap=2)
    ask = admission.Ask(what="x", tier="enterprise", domain="ai")
    for is_job in (True, False, False):
        verdict = admission.admit(admission.Ask(what="x", tier="enterprise", domain="ai", is_job=is_job))
        admission.settle(verdict, admission.Spent(cpu_ms=1))
    assert used(place=2) == 1
    assert admission.admit(ask)
