"""What work costs while PostgreSQL does not say so, and names that nobody can keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from unittest import mock

import pytest
from django.db import OperationalError

from costs.models import CostDecision
from costs.throttle import settle, work
from costs.throttle.decisions import waiting
from tests.costs.throttle.conftest import Budget
from tests.costs.throttle.test_admission import ask, used

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def without_rates(*, known: bool) -> Iterator[None]:
    """Let PostgreSQL not say what work costs, after a first answer or from the start."""
    if not known:
        work._rates.clear()
    with (
        mock.patch.object(work, "rates_on", side_effect=OperationalError("away")),
        mock.patch.object(work, "RATES_FRESH_S", -1),
    ):
        yield
    work._rates.clear()


def test_a_call_without_a_known_cost_finds_no_room_under_a_dollar_cap_that_is_used_up(budget: Budget) -> None:
    budget(daily_cost_usd_cap=Decimal(1))
    settle(ask(est_cost_usd=Decimal(1)), cost_usd=Decimal(1))
    with without_rates(known=False):
        assert not ask(est_input_tokens=10**6, est_output_tokens=10**6)


def test_what_calls_cost_is_counted_by_the_last_known_prices(budget: Budget) -> None:
    budget(daily_cost_usd_cap=Decimal(100))
    verdict = ask(est_input_tokens=10, est_output_tokens=10)
    with without_rates(known=True):
        settle(verdict, input_tokens=10**7, output_tokens=10**7)
    assert used(place=5) == 7_500_000_000, "nano-dollars: $1.50 and $6"


@pytest.mark.parametrize("name", ["ada\0x", "ada\ud800x"], ids=["NUL", "half a character"])
def test_a_name_that_cannot_be_kept_stops_nobody_elses_answer(budget: Budget, name: str) -> None:
    budget("user", "*", daily_jobs_cap=0)
    for user_id in (name, "bo"):
        assert "Redis is away" not in ask(user_id=user_id).reason
    waiting.write()
    assert set(CostDecision.objects.values_list("user_id", flat=True)) == {"ada?x", "bo"}


def test_an_absurd_report_takes_nothing_back(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    settle(ask(est_cpu_ms=1), cpu_ms=5)
    settle(ask(est_cpu_ms=1), cpu_ms=-5)
    assert used() == 5
