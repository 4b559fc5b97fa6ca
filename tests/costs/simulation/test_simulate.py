"""A replay finds exactly what a slow one over the raw events finds, and what a person would expect."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from costs.budgets import save_budget
from costs.rollup import rollup_costs_for_date
from costs.simulation.demand import Span
from costs.simulation.simulate import (
    Simulation,
    TooManyRows,
    caps_from,
    last_days,
    simulate,
    simulate_users,
)
from costs.simulation.who import look, waiting_page
from costs.throttle.scopes import Scope
from costs.usage import fold_pending
from tests.costs.events import at, call, job, store
from tests.costs.oracle import cost_of, stored_events
from tests.costs.simulation.oracle import Event, Found, Limits, replayed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_counters")]
# The night between them ends a month.
FIRST, LAST = date(2026, 3, 31), date(2026, 4, 1)
GLOBAL, EACH = Scope("global"), Scope("user", "*")
SHARES = {"": 80, "free": 80, "pro": 90, "enterprise": 100}


def two_days(seed: int, *, before: int = 0) -> None:
    """Store events of three known tiers and an unknown one over two days, and over some days before them."""
    chance = Random(seed)
    events = []
    for _ in range(150 * (2 + before)):
        moment = at("2026-03-31 00:00") + timedelta(seconds=chance.randrange(-before * 86_400, 2 * 86_400))
        who = {
            "user_id": f"u{chance.randrange(9)}",
            "tier": chance.choice(["free", "pro", "enterprise", "trial"]),
            "domain": chance.choice(["ai", "sync"]),
        }
        if chance.random() < 0.6:
            events.append(job(moment, cpu_ms=chance.randrange(9_000), rows_read=chance.randrange(99), **who))
        else:
            tokens = chance.randrange(5_000)
            events.append(
                call(moment, input_tokens=tokens, cached_input_tokens=tokens // 3, output_tokens=77, **who)
            )
    store(*events)
    fold_pending()


def simulated(scope: Scope = GLOBAL, **limits: Any) -> Simulation:
    return simulate(scope, caps_from(limits), Span.of(FIRST, LAST))


def as_expected(found: Simulation) -> dict[tuple[date, str], Found]:
    """Return what was found in the oracle's words."""
    scale = 10**found.span.places
    return {
        (line.day, line.group): Found(
            line.first_at,
            Fraction(line.tally.job_s, 3600),
            Fraction(line.tally.call_s, 3600),
            Fraction(line.tally.cost_s, 3600 * scale),
            Fraction(line.tally.wait_half_s, 2 * 3600),
        )
        for line in found.proposed.lines
    }


def of_users(expected: Iterable[Found]) -> dict[str, Fraction]:
    """Return how much of each user's work waits."""
    users: dict[str, Fraction] = {}
    for one in expected:
        for user, part in one.users.items():
            users[user] = users.get(user, Fraction(0)) + part
    return users


def without_users(found: dict[tuple[date, str], Found]) -> dict[tuple[date, str], Found]:
    return {key: Found(one.first_at, one.jobs, one.calls, one.cost, one.wait_s) for key, one in found.items()}


def tier_of(event: Event) -> str:
    return event["tier"] if event["tier"] in SHARES else ""


def shares_of(**caps: Fraction | int) -> dict[str, dict[str, Fraction]]:
    """Return each tier's limits: whole amounts are cut, dollars to the nano-dollar."""
    return {
        tier: {
            name: Fraction(int(cap * 10**9 * share // 100), 10**9)
            if name == "cost"
            else Fraction(int(cap) * share // 100)
            for name, cap in caps.items()
        }
        for tier, share in SHARES.items()
    }


def inside(zone: str = "UTC") -> list[Event]:
    """Return the raw events of the days that are replayed."""
    days = {
        event["created_at"]: event["created_at"].astimezone(ZoneInfo(zone)).date()
        for event in stored_events()
    }
    return [event for event in stored_events() if FIRST <= days[event["created_at"]] <= LAST]


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("UTC", {"jobs": 37}, {"daily_jobs_cap": 37}),
    ("UTC", {"jobs": 0}, {"daily_jobs_cap": 0}),
    ("UTC", {"cost": Fraction(21, 1000)}, {"daily_cost_usd_cap": Decimal("0.021")}),
    (
        "Asia/Kolkata",
        {"cpu_ms": 200_001, "tokens_in": 90_000},
        {"daily_cpu_ms_cap": 200_001, "llm_input_tokens_cap": 90_000},
    ),
]


@pytest.mark.parametrize(("zone", "caps", "limits"), CASES)
def test_it_equals_a_replay_of_every_second_over_the_raw_events(
    zone: str, caps: dict[str, Any], limits: dict[str, Any], settings: Settings
) -> None:
    settings.COST_TIMEZONE = zone
    two_days(seed=len(caps), before=1)
    found = simulated(**limits)
    expected = replayed(inside(zone), zone, group_of=tier_of, limits=Limits(shares_of(**caps)))
    assert expected
    assert as_expected(found) == without_users(expected)
    page = waiting_page(found, cursor=None, limit=50)
    assert {one.user_id: Fraction(one.waited_s, 3600) for one in page.rows} == of_users(expected.values())


def test_a_months_cap_counts_what_the_month_spent_before_and_begins_anew_with_the_next() -> None:
    two_days(seed=5, before=2)
    for day in (FIRST - timedelta(days=2), FIRST - timedelta(days=1)):
        rollup_costs_for_date(day)
    before = [event for event in stored_events() if event["created_at"] < at("2026-03-31 00:00")]
    spent = sum((cost_of(event, {}) for event in before), Fraction(0))
    cap = round(Decimal(spent.numerator) / spent.denominator + Decimal("0.02"), 6)
    found = simulated(monthly_cost_usd_cap=cap, daily_jobs_cap=70)
    month = {tier: limits["cost"] for tier, limits in shares_of(cost=Fraction(cap)).items()}
    expected = replayed(
        inside(), "UTC", group_of=tier_of, limits=Limits(shares_of(jobs=70), month), month_used=spent
    )
    assert as_expected(found) == without_users(expected)
    assert {line.place for line in found.proposed.lines} >= {1, 5}


def test_the_caps_of_each_user_hold_one_by_one_and_not_for_who_has_a_budget() -> None:
    two_days(seed=7)
    for day in (FIRST, LAST):
        rollup_costs_for_date(day)
    save_budget(Scope("user", "u3"), {}, actor="ada")
    found, longest = simulate_users(caps_from({"daily_jobs_cap": 4}), Span.of(FIRST, LAST), most=50)
    expected = {}
    for user in sorted({event["user_id"] for event in inside()} - {"u3"}):
        own = [event for event in inside() if event["user_id"] == user]
        one = replayed(own, "UTC", group_of=lambda event: "", limits=Limits({"": {"jobs": Fraction(4)}}))
        expected[user] = of_users(one.values()).get(user, Fraction(0))
    waited = {one.user_id: Fraction(one.waited_s, 3600) for one in longest}
    assert waited == {user: part for user, part in expected.items() if part}
    assert [one.waited_s for one in longest] == sorted((one.waited_s for one in longest), reverse=True)
    assert sum(line.users for line in found.proposed.lines) >= len(waited)


def test_users_come_by_cursor_without_a_gap_in_either_direction() -> None:
    two_days(seed=3)
    found = simulated(daily_jobs_cap=20)
    whole = [one.user_id for one in waiting_page(found, cursor=None, limit=50).rows]
    first = waiting_page(found, cursor=None, limit=2)
    second = waiting_page(found, cursor=first.next_cursor, limit=2)
    back = waiting_page(found, cursor=second.previous_cursor, limit=2)
    assert [one.user_id for one in [*first.rows, *second.rows]] == whole[:4]
    assert back.rows == first.rows


def test_waiting_users_of_each_users_caps_come_by_cursor_too() -> None:
    two_days(seed=7)
    for day in (FIRST, LAST):
        rollup_costs_for_date(day)
    span, caps = Span.of(FIRST, LAST), caps_from({"daily_jobs_cap": 4})
    whole = [one.user_id for one in look(EACH, caps, span, cursor=None, limit=50)[1].rows]
    _, first = look(EACH, caps, span, cursor=None, limit=2)
    _, second = look(EACH, caps, span, cursor=first.next_cursor, limit=2)
    _, back = look(EACH, caps, span, cursor=second.previous_cursor, limit=2)
    assert [one.user_id for one in [*first.rows, *second.rows]] == whole[:4]
    assert back.rows == first.rows


def test_the_caps_in_force_are_replayed_beside_the_proposed_ones() -> None:
    two_days(seed=3)
    save_budget(GLOBAL, {"daily_jobs_cap": 10}, actor="ada")
    found = simulated(daily_jobs_cap=10**6)
    assert found.current.total.jobs > 0
    assert not found.proposed.total
    assert found.jobs == sum("cpu_ms" in event for event in inside())


def test_only_the_scopes_own_work_counts() -> None:
    store(
        job("2026-03-31 10:00", user_id="a", tier="pro", domain="sync"),
        job("2026-03-31 11:00", user_id="b", tier="pro", domain="ai"),
        job("2026-03-31 12:00", user_id="a", tier="free", domain="ai"),
    )
    fold_pending()
    for scope, jobs in ((Scope("tier", "pro"), 2), (Scope("domain", "ai"), 2), (Scope("user", "a"), 2)):
        found = simulated(scope, daily_jobs_cap=0)
        assert (found.jobs, found.proposed.total.jobs) == (jobs, jobs), scope


def test_without_usage_or_caps_nothing_waits() -> None:
    assert not simulated(daily_jobs_cap=0).has_usage
    two_days(seed=1)
    assert not simulated().proposed.days


def test_the_last_days_are_complete_ones() -> None:
    span = last_days(7, date(2026, 4, 2))
    assert (span.first_on, span.last_on, span.days) == (date(2026, 3, 26), date(2026, 4, 1), 7)


def test_too_many_users_and_hours_are_no_work_for_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    two_days(seed=1)
    rollup_costs_for_date(FIRST)
    monkeypatch.setattr("costs.simulation.simulate.MOST_ROWS", 3)
    with pytest.raises(TooManyRows):
        simulate_users(caps_from({}), Span.of(FIRST, LAST), most=5)
