"""The budget that stands for each user: those whom it counts follow PostgreSQL too."""

import pytest
from django.utils import timezone

from costs.days import local_today
from costs.rollup import rollup_costs_for_date
from costs.throttle import seeding, settle
from costs.throttle.admission import state
from tests.costs.events import job, store
from tests.costs.throttle.conftest import Budget
from tests.costs.throttle.test_admission import ask, used

pytestmark = pytest.mark.django_db(transaction=True)
USERS = ("ada", "bo", "cy", "di", "ed")


def work_elsewhere(*users: str) -> None:
    """Let users be counted, and then use CPU time that no check was asked about."""
    for user in users:
        settle(ask(est_cpu_ms=100, user_id=user), cpu_ms=100)
    for user in users:
        store(job(timezone.now(), cpu_ms=1500, user_id=user))
    rollup_costs_for_date(local_today(timezone.now()))


def test_usage_that_no_check_was_asked_about_counts_against_each_user_s_cap(budget: Budget) -> None:
    budget("user", "*", daily_cpu_ms_cap=1000)
    work_elsewhere("ada")
    drifts = seeding.synchronise(state.counters)
    assert [drift.scope.key for drift in drifts] == ["ada"]
    assert ask(est_cpu_ms=100, user_id="ada").action == "defer"
    assert ask(est_cpu_ms=100, user_id="bo").action == "run"


def test_more_users_than_one_turn_compares_are_all_compared_after_some(
    budget: Budget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "MOST_USERS", 1)
    budget("user", "*", daily_cpu_ms_cap=1000)
    work_elsewhere(*USERS)
    for _ in range(2 * len(USERS)):
        seeding.synchronise(state.counters)
    assert [used(f"user:{user}") for user in USERS] == [1500] * len(USERS)


def test_a_user_with_a_budget_of_their_own_is_compared_once(budget: Budget) -> None:
    budget("user", "*", daily_cpu_ms_cap=1000)
    budget("user", "ada", daily_cpu_ms_cap=5000)
    work_elsewhere("ada")
    assert [drift.scope.key for drift in seeding.synchronise(state.counters)] == ["ada"]
