"""While Redis is away each process admits its share of what PostgreSQL says is left, and no more."""

import time
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.utils import timezone

from costs.days import local_today
from costs.models import CostBudget
from costs.rollup import rollup_costs_for_date
from costs.throttle import check_budget_and_maybe_defer, renew, settle, share
from costs.throttle.admission import state
from costs.throttle.counters import Counters
from tests.costs.events import job, store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def without_redis(settings: Any) -> None:
    """Let this process ask a Redis that is not there, as one of four processes."""
    settings.BUDGET_PROCESSES = 4
    state._counters = Counters("unix:///nowhere/valkey.sock")


def ask(tier: str = "enterprise") -> bool:
    return bool(check_budget_and_maybe_defer(tier=tier, domain="ai", user_id="ada"))


def test_a_process_admits_its_share_and_says_why_it_admits_no_more(without_redis: None) -> None:
    budget_row(daily_jobs_cap=9)
    store(job(timezone.now(), cpu_ms=1))
    rollup_costs_for_date(local_today(timezone.now()))
    assert [ask() for _ in range(3)] == [True, True, False], "two of eight that are left, for one of four"
    verdict = check_budget_and_maybe_defer(tier="enterprise", domain="ai")
    assert "Redis is away, so this process has its share only." in verdict.reason
    assert verdict.release_at


def test_minutes_without_redis_let_nobody_take_a_share_twice(without_redis: None, settings: Any) -> None:
    settings.BUDGET_PROCESSES = 1
    budget_row(daily_jobs_cap=5)
    began, admitted = time.monotonic(), 0
    for minutes in range(4):
        with mock.patch("costs.throttle.share.time.monotonic", return_value=began + 90 * minutes):
            while admitted < 20 and (verdict := check_budget_and_maybe_defer(tier="enterprise", domain="ai")):
                admitted += 1
                settle(verdict, cpu_ms=1)
                store(job(timezone.now(), cpu_ms=1))
    assert admitted == 5, "nothing was folded or rolled up meanwhile"


def test_work_that_never_reports_back_gives_its_share_back_unless_it_is_renewed(without_redis: None) -> None:
    budget_row(daily_jobs_cap=4)
    verdict = check_budget_and_maybe_defer(tier="enterprise", domain="ai")
    began = time.monotonic()
    with mock.patch("costs.throttle.share.time.monotonic", return_value=began + 290):
        assert not ask()
        assert renew(verdict)
    with mock.patch("costs.throttle.share.time.monotonic", return_value=began + 310):
        assert not ask()
    with mock.patch("costs.throttle.share.time.monotonic", return_value=began + 600):
        assert ask()
        assert not renew(verdict)


def budget_row(scope: str = "global", key: str = "", **caps: Any) -> None:
    """Store a budget; there is no Redis to publish it to."""
    CostBudget.objects.create(apply_scope=scope, scope_key=key, updated_by="tests", **caps)


def test_work_that_never_started_gives_its_share_back(without_redis: None) -> None:
    budget_row(daily_jobs_cap=4)
    verdict = check_budget_and_maybe_defer(tier="enterprise", domain="ai")
    assert verdict
    assert not ask()
    settle(verdict, ran=False)
    assert ask()


def test_each_users_budget_holds_for_a_user_without_one(without_redis: None) -> None:
    budget_row("user", "*", daily_jobs_cap=4)
    assert [ask(), ask()] == [True, False]


def test_a_cap_of_nothing_still_admits_nothing(without_redis: None) -> None:
    budget_row("tier", "free", daily_jobs_cap=0)
    assert not ask("free")
    assert ask("pro")


def test_without_either_nothing_is_known_and_work_waits_a_minute(without_redis: None) -> None:
    with mock.patch.object(share, "read_state", side_effect=OperationalError("away")):
        verdict = check_budget_and_maybe_defer(tier="free", domain="ai")
    assert not verdict
    assert "Neither Redis nor PostgreSQL" in verdict.reason


def test_redis_is_asked_again_when_it_is_back(without_redis: None) -> None:
    budget_row(daily_jobs_cap=4)
    assert ask()
    state._counters = None
    assert not check_budget_and_maybe_defer(tier="enterprise", domain="ai").lease.startswith("share:")
