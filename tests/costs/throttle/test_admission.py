"""What a budget check admits, downgrades and defers, and what stays counted."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from costs.days import local_today
from costs.models import CostBudget, CostDecision
from costs.rollup import rollup_costs_for_date
from costs.throttle import Verdict, check_budget_and_maybe_defer, renew, seeding, settle
from costs.throttle.admission import state
from costs.throttle.counters import EXPIRIES, PREFIX
from costs.throttle.decisions import waiting
from tests.costs.events import call, job, store

pytestmark = pytest.mark.django_db(transaction=True)

Budget = Callable[..., CostBudget]


def ask(tier: str = "enterprise", domain: str = "ai", **estimates: Any) -> Verdict:
    return check_budget_and_maybe_defer(tier=tier, domain=domain, **estimates)


def counted(name: str) -> tuple[list[int], list[int]]:
    return state.counters.of(f"{local_today(timezone.now())}", name) or ([0] * 5, [0] * 5)


def used(name: str = "global:", place: int = 1) -> int:
    return counted(name)[0][place - 1]


def reserved(name: str = "global:", place: int = 1) -> int:
    return counted(name)[1][place - 1]


def test_without_any_budget_everything_runs() -> None:
    assert ask(est_cpu_ms=10**9).action == "run"


def test_throttle_defers_the_free_tier_at_the_cpu_ms_cap(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    store(job(timezone.now(), cpu_ms=800))
    free, pro = ask("free", est_cpu_ms=50), ask("pro", est_cpu_ms=50)
    assert not free
    assert free.action == "defer"
    assert "The day's cap of 1,000 ms of CPU for everything (800 ms of CPU for this tier)" in free.reason
    assert free.release_at == next_midnight()
    assert pro


def next_midnight() -> datetime:
    today = timezone.now().date()
    return datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1)


def test_shared_caps_are_shed_tier_by_tier_and_an_unknown_tier_goes_first(budget: Budget) -> None:
    budget(daily_jobs_cap=100)
    store(*(job(timezone.now(), cpu_ms=1) for _ in range(85)))
    assert [bool(ask(tier)) for tier in ("trial", "free", "pro", "enterprise")] == [False, False, True, True]


@pytest.mark.parametrize(
    ("scope", "key", "other"),
    [
        ("tier", "free", {"tier": "pro"}),
        ("user", "ada", {"user_id": "bo"}),
        ("domain", "ai", {"domain": "b"}),
    ],
)
def test_a_scope_binds_its_own_work_only(budget: Budget, scope: str, key: str, other: dict[str, str]) -> None:
    budget(scope, key, daily_jobs_cap=0)
    mine = {"tier": "free", "domain": "ai", "user_id": "ada"}
    assert not ask(**mine)
    assert ask(**mine | other)


def test_each_user_without_a_budget_has_that_of_every_user(budget: Budget) -> None:
    budget("user", "*", daily_jobs_cap=1)
    budget("user", "vip", daily_jobs_cap=5)
    assert ask(user_id="ada")
    assert not ask(user_id="ada")
    assert ask(user_id="bo")
    assert all(ask(user_id="vip") for _ in range(5))


def test_a_users_primary_key_is_the_same_user_as_its_text(budget: Budget) -> None:
    store(job(timezone.now(), user_id="7", cpu_ms=80))
    budget("user", "7", daily_cpu_ms_cap=100)
    assert ask(user_id="7", est_cpu_ms=10).action == "run"
    assert ask(user_id=7, est_cpu_ms=10).action == "run"
    verdict = ask(user_id=7, est_cpu_ms=10)
    assert (verdict.action, str(verdict.rule and verdict.rule.scope)) == ("defer", "user 7")


def test_a_cap_of_nothing_admits_nothing(budget: Budget) -> None:
    budget(llm_input_tokens_cap=0)
    assert not ask()
    assert not ask(est_cpu_ms=1)


def test_a_cap_is_used_to_its_last_unit_and_not_beyond(budget: Budget) -> None:
    budget("tier", "enterprise", daily_cpu_ms_cap=1000)
    assert [bool(ask(est_cpu_ms=est)) for est in (600, 401, 400, 1)] == [True, False, True, False]


def test_a_lower_cap_counts_from_the_next_check(budget: Budget) -> None:
    budget(daily_jobs_cap=10)
    assert ask()
    budget(daily_jobs_cap=1)
    assert not ask()
    budget(daily_jobs_cap=10)
    assert ask()


def test_settling_replaces_what_was_reserved_once(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    verdict = ask(est_cpu_ms=400)
    assert (used(), reserved()) == (0, 400)
    for _ in range(2):
        settle(verdict, cpu_ms=250)
    assert (used(), reserved()) == (250, 0)


def test_work_that_never_started_gives_everything_back(budget: Budget) -> None:
    budget(daily_jobs_cap=1)
    settle(ask(), ran=False)
    assert ask()


def test_what_a_killed_client_reserved_is_free_when_its_lease_lapses(budget: Budget) -> None:
    budget(daily_jobs_cap=1)
    late = ask(lease_s=1)
    assert not ask()
    threading.Event().wait(1.1)
    second = ask()
    assert second
    settle(late, cpu_ms=7)
    settle(late, cpu_ms=7)
    assert used(place=2) == 1, "late work counts once all the same"


def test_a_renewed_lease_does_not_lapse(budget: Budget) -> None:
    budget(daily_jobs_cap=1)
    verdict = ask(lease_s=1)
    assert renew(verdict, lease_s=60)
    threading.Event().wait(1.1)
    assert not ask()
    settle(verdict)
    assert not renew(verdict)


def test_64_clients_at_the_limit_are_never_admitted_beyond_it(budget: Budget) -> None:
    budget("tier", "enterprise", daily_jobs_cap=100)
    assert ask()  # counted from here, with its lease outstanding

    def client(_: int) -> int:
        admitted = 0
        for _ in range(5):
            if verdict := ask():
                admitted += 1
                settle(verdict, cpu_ms=1)
        return admitted

    with ThreadPoolExecutor(64) as clients:
        assert sum(clients.map(client, range(64))) == 99


def test_estimates_that_fall_short_are_stretched_so_that_the_cap_holds(budget: Budget) -> None:
    budget("tier", "enterprise", llm_input_tokens_cap=100_000)
    admitted = 0
    while admitted < 200 and (verdict := ask(est_input_tokens=900, est_output_tokens=1)):
        settle(verdict, input_tokens=1000, output_tokens=1)
        admitted += 1
    assert admitted == 100


def test_work_that_states_nothing_is_taken_for_what_such_work_takes(budget: Budget) -> None:
    budget("tier", "enterprise", llm_output_tokens_cap=100_000)
    running: list[Verdict] = []
    settle(ask(), output_tokens=1000)
    while len(running) < 200 and (verdict := ask()):
        running.append(verdict)
    assert len(running) == 99, "all in flight at once, none of them settled"


def test_dollar_caps_of_the_day_and_of_the_month_count_what_was_spent(budget: Budget) -> None:
    budget(daily_cost_usd_cap=Decimal("1"), monthly_cost_usd_cap=Decimal("1"))
    today = timezone.now().replace(hour=0, minute=0)
    if today.day > 1:
        store(job(today - timedelta(days=1), cpu_ms=30_000_000))  # $0.60
        rollup_costs_for_date(today.date() - timedelta(days=1))
        verdict = ask(est_cost_usd=Decimal("0.50"))
        assert verdict.rule
        assert verdict.rule.window == "month"
        assert "$0.6 used" in verdict.reason
        assert verdict.release_at
        assert verdict.release_at.day == 1
    assert ask(est_cost_usd=Decimal("0.30"))
    assert not ask(est_cost_usd=Decimal("0.75"))


def test_between_the_share_and_the_cap_work_may_use_the_smaller_model(budget: Budget) -> None:
    budget(daily_jobs_cap=10)
    store(*(job(timezone.now(), cpu_ms=1) for _ in range(8)))
    assert ask("free").action == "defer"
    assert ask("free", may_downgrade=True).action == "downgrade"
    assert ask("free", may_downgrade=True).action == "downgrade"
    assert ask("free", may_downgrade=True).action == "defer"


def test_an_emptied_redis_is_counted_again_from_postgresql(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    settle(ask(est_cpu_ms=100), cpu_ms=100)
    store(job(timezone.now(), cpu_ms=100), call(timezone.now(), input_tokens=5))
    state.counters.client.flushall()
    assert ask(est_cpu_ms=1)
    assert (used(), used(place=3)) == (100, 5)


def test_usage_that_never_asked_is_counted_at_the_next_comparison(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    assert ask(est_cpu_ms=1)
    store(job(timezone.now(), cpu_ms=999))
    rollup_costs_for_date(local_today(timezone.now()))
    [drift] = seeding.synchronise(state.counters)
    assert (drift.counted.cpu_ms, drift.truth.cpu_ms) == (0, 999)
    assert not ask(est_cpu_ms=1)


def test_what_was_settled_a_moment_ago_stays_counted_although_postgresql_lacks_it(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    settle(ask(est_cpu_ms=300), cpu_ms=300)
    seeding.synchronise(state.counters)
    assert used() == 300


def test_phantom_usage_is_gone_once_it_would_have_arrived(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    settle(ask(est_cpu_ms=300), cpu_ms=300)
    client: Any = state.counters.client
    recent = f"{PREFIX}{local_today(timezone.now())}:recent:global:"
    for field in client.hkeys(recent):
        minute, place = field.decode().split(":")
        client.hset(recent, f"{int(minute) - 6}:{place}", client.hget(recent, field))
        client.hdel(recent, field)
    seeding.synchronise(state.counters)
    assert used() == 0


def test_a_local_lease_is_reserved_and_bounded(budget: Budget) -> None:
    budget(daily_jobs_cap=10_000_000)
    verdicts = [ask(local_lease=True, est_cpu_ms=1) for _ in range(33)]
    assert len({verdict.lease for verdict in verdicts}) == 2
    assert reserved(place=2) == 33
    for verdict in verdicts:
        settle(verdict, cpu_ms=2)
    assert (used(place=2), reserved(place=2)) == (33, 0)


def test_near_the_limit_a_local_lease_asks_each_time(budget: Budget) -> None:
    budget("tier", "enterprise", daily_jobs_cap=50)
    admitted = [verdict for _ in range(80) if (verdict := ask(local_lease=True))]
    assert len(admitted) == 50


def test_every_verdict_is_kept_with_its_rule_and_counters(budget: Budget) -> None:
    budget(daily_jobs_cap=2)
    for _ in range(3):
        ask(user_id="ada")
    waiting.write()
    kept = {row.action: row for row in CostDecision.objects.all()}
    assert kept["run"].checks == 2
    deferred = kept["defer"]
    assert (deferred.rule_scope, deferred.rule_place, deferred.rule_cap) == ("global:", "jobs", 2)
    assert (deferred.used, deferred.reserved, deferred.needed, deferred.user_id) == (0, 2, 1, "ada")
    assert deferred.reason.startswith("The day's cap of 2 jobs for everything")


def test_no_lease_is_left_when_all_is_settled(budget: Budget) -> None:
    budget(daily_jobs_cap=9)
    for _ in range(3):
        settle(ask())
    assert state.counters.client.zcard(EXPIRIES) == 0
