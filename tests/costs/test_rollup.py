"""The rollup: equal to an oracle of fractions for any events, safe to repeat, one at a time, never stale."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pytest_django import Settings

from costs import windows
from costs.models import CostBreakdownDaily, CostDay, CostGlobalDaily, CostUserDaily, ModelPrice
from costs.rollup import FutureDay, LeaseLost, RollupBusy, day, lease, rollup_costs_for_date
from costs.usage import RawRowsGone, ZoneChanged, fold_pending
from telemetry.models import DroppedPartition
from tests.costs import oracle
from tests.costs.events import at, between, call, empty, execute, job, partials, rows_of, store

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = [date(2024, 5, 4) + timedelta(days=offset) for offset in range(3)]
COST_TABLES = (
    "cost_user_daily",
    "cost_global_daily",
    "cost_breakdown_daily",
    "cost_user_window",
    "cost_windows",
)
TABLES = (
    "telemetry_job_events",
    "telemetry_llm_events",
    "telemetry_shipments",
    "usage_hourly",
    "usage_user_hourly",
    "usage_daily",
    "usage_wait_daily",
    "cost_days",
    "cost_model_prices",
    *COST_TABLES,
)
USERS = ("ada", "bob", "çelik", "dave; DROP TABLE", "Zoë", "用户")
MODELS = ("m-small", "m-large", "m-unknown")

moments = between("2024-05-04 00:00", "2024-05-06 23:59")
people = st.fixed_dictionaries(
    {
        "created_at": moments,
        "user_id": st.sampled_from(USERS),
        "tier": st.sampled_from(("free", "pro", "enterprise")),
        "domain": st.sampled_from(("sync", "ai")),
    }
)


def make_job(who: Mapping[str, Any], cpu_ms: int, rows_read: int, rows_written: int) -> dict[str, Any]:
    return job(**who, cpu_ms=cpu_ms, rows_read=rows_read, rows_written=rows_written)


def make_call(
    who: Mapping[str, Any], model: str, tokens: tuple[int, int], made: int, hit: bool
) -> dict[str, Any]:
    given_tokens, cached = max(tokens), min(tokens)
    counts = {"input_tokens": given_tokens, "cached_input_tokens": cached, "output_tokens": made}
    return call(**who, llm_model=model, cache_hit=hit) | ({} if hit else counts)


jobs = st.builds(make_job, people, st.integers(0, 10**7), st.integers(0, 10**5), st.integers(0, 3))
tokens = st.integers(0, 5000)
calls = st.builds(
    make_call, people, st.sampled_from(MODELS), st.tuples(tokens, tokens), tokens, st.booleans()
)
per_million = st.decimals(0, 100, places=9, allow_nan=False, allow_infinity=False)
price_rows = st.lists(
    st.tuples(
        st.sampled_from(MODELS[:2]), st.sampled_from(DAYS), per_million, per_million, per_million, per_million
    ),
    max_size=4,
    unique_by=lambda row: row[:2],
)


def store_prices(rows: list[tuple[Any, ...]]) -> dict[date, dict[str, oracle.Rates]]:
    """Store price rows; return what applies on each day, the newest row of a model first."""
    for model, from_on, given_usd, cached_usd, made_usd, request_usd in rows:
        later = [row[1] for row in rows if row[0] == model and row[1] > from_on]
        ModelPrice.objects.create(
            llm_model=model,
            effective_from=from_on,
            effective_to=min(later, default=None),
            input_usd_per_million=given_usd,
            cached_input_usd_per_million=cached_usd,
            output_usd_per_million=made_usd,
            request_usd=request_usd,
            source="test",
        )
    return {
        on: {
            model: (Fraction(g) / 10**6, Fraction(c) / 10**6, Fraction(m) / 10**6, Fraction(r))
            for model, from_on, g, c, m, r in sorted(rows, key=lambda row: row[1])
            if from_on <= on
        }
        for on in DAYS
    }


@effort(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(jobs, calls), max_size=30), price_rows, st.integers(1, 7))
def test_rollup_aggregates_synthetic_events_correctly(
    events: list[dict[str, Any]], rows: list[tuple[Any, ...]], step: int
) -> None:
    empty(TABLES)
    prices = store_prices(rows)
    for start in range(0, len(events), step):
        store(*events[start : start + step])
    fold_pending(max_events=step)
    for on in DAYS:
        rollup_costs_for_date(on)
    expected = oracle.days_of(events, "UTC", prices)
    oracle.assert_days_match(expected)
    unpriced = {row.date: row.unpriced_calls for row in CostGlobalDaily.objects.filter(unpriced_calls__gt=0)}
    assert unpriced == {on: day.unpriced_calls for on, day in expected.items() if day.unpriced_calls}


def test_a_day_too_large_for_bigint_is_summed_in_numeric_to_the_same_digits() -> None:
    # A price with fifteen decimal places times this many tokens is beyond 2^63 of the smallest unit.
    prices = store_prices([("m-large", DAYS[0], Decimal("99.123456789"), Decimal(1), Decimal(1), Decimal(0))])
    events = [
        call("2024-05-04 10:00", llm_model="m-large", input_tokens=2**31 - 1, user_id=f"u{i}")
        for i in range(90)
    ]
    store(*events)
    fold_pending()
    rollup_costs_for_date(DAYS[0])
    oracle.assert_days_match(oracle.days_of(events, "UTC", prices))


def some_events() -> list[dict[str, Any]]:
    return [
        job("2024-05-04 10:00", cpu_ms=1500, rows_read=7),
        job("2024-05-04 11:00", user_id="bob", tier="free", cpu_ms=3),
        call("2024-05-04 12:00", input_tokens=1, user_id="bob", tier="pro"),
        call("2024-05-04 12:00", input_tokens=1, user_id="cy", tier="free"),
        call(
            "2024-05-04 12:00", input_tokens=1, output_tokens=3, user_id="dee", tier="free", llm_model="m-x"
        ),
    ]


def roll_some(*events: dict[str, Any]) -> None:
    store(*(events or some_events()))
    fold_pending()
    rollup_costs_for_date(DAYS[0])


def test_rolling_up_again_rewrites_nothing() -> None:
    roll_some()
    tables = ("cost_user_daily", "cost_global_daily", "cost_breakdown_daily")
    before = {table: rows_of(table, f"xmin::text, {table}::text") for table in tables}
    assert rollup_costs_for_date(DAYS[0]).changed_users == 0
    assert {table: rows_of(table, f"xmin::text, {table}::text") for table in tables} == before


def test_a_late_row_rewrites_only_the_rows_it_changes() -> None:
    roll_some()
    created_at = CostUserDaily.objects.get(user_id="bob").created_at
    store(job("2024-05-04 23:59", user_id="bob", cpu_ms=10**9))
    fold_pending()
    assert rollup_costs_for_date(DAYS[0]).changed_users == 1
    bob = CostUserDaily.objects.get(user_id="bob")
    assert (bob.jobs, bob.created_at) == (2, created_at)
    assert bob.updated_at > created_at


def test_the_tier_of_a_user_is_that_of_the_last_event_and_the_breakdown_goes_by_each_events_own() -> None:
    roll_some()
    assert CostUserDaily.objects.get(user_id="bob").tier == "pro"
    breakdown = CostGlobalDaily.objects.get().tier_breakdown_json
    assert {tier: sums["jobs"] for tier, sums in breakdown.items()} == {"free": 1, "pro": 1}
    assert breakdown["pro"]["cost_exact"] == "0.00003365"
    assert breakdown["pro"]["cost_usd"] == "0.000034"


def test_a_price_row_ends_before_its_last_date_and_constants_apply_again() -> None:
    ModelPrice.objects.create(
        llm_model="m-small",
        effective_from=date(2024, 5, 1),
        effective_to=DAYS[0],
        input_usd_per_million=1000,
        cached_input_usd_per_million=1000,
        output_usd_per_million=1000,
        source="test",
    )
    roll_some(call("2024-05-04 10:00", input_tokens=1))
    assert CostGlobalDaily.objects.get().cost_exact == Decimal("0.00000015")


def test_partials_that_vanish_take_their_rows_with_them() -> None:
    roll_some()
    execute("DELETE FROM usage_daily WHERE user_id = 'bob'")
    rollup_costs_for_date(DAYS[0])
    assert set(CostUserDaily.objects.values_list("user_id", flat=True)) == {"ada", "cy", "dee"}
    execute("DELETE FROM usage_daily")
    rollup_costs_for_date(DAYS[0])
    assert not CostUserDaily.objects.exists()
    assert not CostBreakdownDaily.objects.exists()
    assert CostGlobalDaily.objects.get().cost_usd == 0


def test_a_day_without_raw_rows_is_rolled_up_from_partials_and_never_zeroed() -> None:
    roll_some()
    before = rows_of("cost_global_daily", "date, cost_exact, jobs")
    DroppedPartition.objects.create(
        table_name="telemetry_job_events", lower_at=at("2024-05-04 00:00"), upper_at=at("2024-05-05 00:00")
    )
    execute("DELETE FROM telemetry_job_events")
    rollup_costs_for_date(DAYS[0])
    assert rows_of("cost_global_daily", "date, cost_exact, jobs") == before
    with pytest.raises(RawRowsGone, match="2024-05-04"):
        rollup_costs_for_date(DAYS[0], from_raw=True)
    execute("DELETE FROM usage_daily")
    kept = rollup_costs_for_date(DAYS[0])
    assert rows_of("cost_global_daily", "date, cost_exact, jobs") == before
    assert (kept.users, kept.total.jobs, sorted(kept.tiers)) == (4, 2, ["free", "pro"])


def test_rolling_up_from_raw_rows_mends_damaged_partials() -> None:
    roll_some()
    before, costs = partials(), rows_of("cost_user_daily", "user_id, cost_exact")
    execute("UPDATE usage_daily SET cpu_ms = 999 WHERE user_id = 'ada'")
    execute("DELETE FROM usage_user_hourly WHERE user_id = 'bob'")
    execute("DELETE FROM usage_hourly")
    rollup_costs_for_date(DAYS[0])
    assert rows_of("cost_user_daily", "user_id, cost_exact") != costs
    rollup_costs_for_date(DAYS[0], from_raw=True)
    assert partials() == before
    assert rows_of("cost_user_daily", "user_id, cost_exact") == costs


def test_a_dry_run_keeps_nothing_and_gives_the_day_back() -> None:
    store(*some_events())
    fold_pending()
    cost = rollup_costs_for_date(DAYS[0], dry_run=True, from_raw=True)
    assert cost.total.jobs == 2
    assert not CostGlobalDaily.objects.exists()
    held = CostDay.objects.get(date=DAYS[0])
    assert (held.rolled_up_at, held.lease_until) == (None, None)
    assert held.dirty_at is not None


def test_the_json_names_every_sum_with_money_as_strings() -> None:
    store(*some_events())
    fold_pending()
    assert rollup_costs_for_date(DAYS[0]).as_json() == {
        "date": "2024-05-04",
        "users": 4,
        "jobs": 2,
        "ai_calls": 3,
        "cpu_ms": 1503,
        "tokens_in": 3,
        "tokens_out": 3,
        "cost_usd": "0.000036",
        "cost_exact": "0.00003581",
        "tiers": {
            "free": {
                "jobs": 1,
                "ai_calls": 2,
                "cpu_ms": 3,
                "tokens_in": 2,
                "tokens_out": 3,
                "cost_usd": "0.000002",
                "cost_exact": "0.00000216",
            },
            "pro": {
                "jobs": 1,
                "ai_calls": 1,
                "cpu_ms": 1500,
                "tokens_in": 1,
                "tokens_out": 0,
                "cost_usd": "0.000034",
                "cost_exact": "0.00003365",
            },
        },
    }


def test_a_day_that_has_not_begun_is_refused(settings: Settings) -> None:
    with pytest.raises(FutureDay, match="in the future"):
        rollup_costs_for_date(datetime.now(UTC).date() + timedelta(days=2))


def test_another_zone_than_that_of_the_partials_is_refused(settings: Settings) -> None:
    roll_some()
    settings.COST_TIMEZONE = "Asia/Kolkata"
    with pytest.raises(ZoneChanged, match="--rebuild-timezone"):
        rollup_costs_for_date(DAYS[0])


def test_a_day_past_its_close_is_closed_once_and_today_is_not() -> None:
    today = datetime.now(UTC).date()
    roll_some()
    rollup_costs_for_date(today)
    closed_at = CostDay.objects.get(date=DAYS[0]).closed_at
    rollup_costs_for_date(DAYS[0])
    assert closed_at is not None
    assert CostDay.objects.get(date=DAYS[0]).closed_at == closed_at
    assert CostDay.objects.get(date=today).closed_at is None


def test_a_day_that_another_live_process_holds_is_busy() -> None:
    store(*some_events())
    fold_pending()
    held = lease.claim(DAYS[0])
    with pytest.raises(RollupBusy, match="2024-05-04"):
        rollup_costs_for_date(DAYS[0])
    lease.release(held)
    assert rollup_costs_for_date(DAYS[0]).total.jobs == 2


def test_a_holder_whose_process_is_gone_is_replaced_at_once() -> None:
    lease.claim(DAYS[0])
    execute("UPDATE cost_days SET lease_pid = 2147483647")
    assert rollup_costs_for_date(DAYS[0]).users == 0


def test_a_later_process_with_the_same_number_is_not_taken_for_the_holder() -> None:
    lease.claim(DAYS[0])
    execute("UPDATE cost_days SET lease_until = now() + interval '1 second'")
    assert rollup_costs_for_date(DAYS[0]).users == 0


def test_a_stale_worker_writes_nothing() -> None:
    store(*some_events())
    fold_pending()
    stale = lease.claim(DAYS[0])
    execute("UPDATE cost_days SET lease_until = now() - interval '1 second'")
    newer = lease.claim(DAYS[0])
    with pytest.raises(LeaseLost), transaction.atomic(), connection.cursor() as cursor:
        lease.hold(cursor, stale)
    lease.release(stale)
    with transaction.atomic(), connection.cursor() as cursor:
        lease.hold(cursor, newer)


def test_a_rollup_that_fails_gives_the_day_back_and_leaves_no_half(monkeypatch: pytest.MonkeyPatch) -> None:
    store(*some_events())
    fold_pending()

    def fail(*arguments: Any) -> None:
        raise RuntimeError("power")

    with monkeypatch.context() as broken, suppress(RuntimeError):
        broken.setattr(day, "replace_global", fail)
        rollup_costs_for_date(DAYS[0])
    assert not CostUserDaily.objects.exists()
    assert not CostBreakdownDaily.objects.exists()
    rollup_costs_for_date(DAYS[0])
    oracle.assert_days_match(oracle.days_of(some_events(), "UTC", {}))


def test_the_ranges_of_a_day_follow_its_rollup() -> None:
    today = datetime.now(UTC)
    store(job(today, cpu_ms=100))
    fold_pending()
    rollup_costs_for_date(today.date())
    kept = rows_of("cost_user_window", "days, user_id, jobs, cost_exact, tier, user_days, last_on")
    assert [row[:4] for row in kept] == [(days, "ada", 1, Decimal("0.000002")) for days in (30, 7, 90)]
    windows.rebuild(today.date())
    assert rows_of("cost_user_window", "days, user_id, jobs, cost_exact, tier, user_days, last_on") == kept


def test_micro_dollars_that_tie_go_to_the_first_name_in_every_kind() -> None:
    # Each costs half a micro-dollar, so the day costs two and four names share them.
    names = ("zeta", "beta", "gamma", "alpha")
    roll_some(*(job("2024-05-04 10:00", user_id=name, domain=name, tier=name, cpu_ms=25) for name in names))
    lifted = {("domain", "alpha"), ("domain", "beta"), ("tier", "alpha"), ("tier", "beta")}
    parts = CostBreakdownDaily.objects.filter(cost_usd__gt=0).exclude(kind="model")
    assert set(parts.values_list("kind", "key")) == lifted
    users = CostUserDaily.objects.filter(cost_usd__gt=0)
    assert set(users.values_list("user_id", flat=True)) == {"alpha", "beta"}


def test_of_several_price_rows_the_newest_in_effect_applies() -> None:
    prices = store_prices(
        [
            ("m-small", on, Decimal(usd), Decimal(0), Decimal(0), Decimal(0))
            for on, usd in zip(DAYS, (3, 1, 2), strict=True)
        ]
    )
    events = [call(f"{on} 10:00", input_tokens=10) for on in DAYS]
    store(*events)
    for on in DAYS:
        rollup_costs_for_date(on)
    oracle.assert_days_match(oracle.days_of(events, "UTC", prices))
