"""Savings and waste equal an oracle that prices raw events one by one, with fractions."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from costs.models import ModelPrice
from costs.queries import Day, days
from costs.rollup import rollup_costs_for_date
from costs.savings import Savings
from tests.costs import oracle
from tests.costs.events import call, empty, job, store
from tests.costs.prices.rows import store_price
from tests.costs.test_rollup import TABLES

pytestmark = pytest.mark.django_db(transaction=True)

ON = date(2024, 5, 4)
NAMES = ("skipped_usd", "cached_usd", "failed_usd", "retried_usd")
jobs = st.builds(
    lambda **values: job("2024-05-04 10:00", **values),
    success=st.booleans(),
    attempt=st.integers(1, 3),
    cpu_ms=st.integers(0, 10**6),
    rows_read=st.integers(0, 10**5),
    rows_written=st.integers(0, 9),
    user_id=st.sampled_from(("ada", "bob")),
)


def make_call(model: str, success: bool, hit: bool, cached: int, rest: int, made: int) -> dict[str, Any]:
    counts = {"input_tokens": cached + rest, "cached_input_tokens": cached, "output_tokens": made}
    avoided = {"avoided_input_tokens": cached + rest, "avoided_output_tokens": made}
    return call(
        "2024-05-04 11:00", llm_model=model, success=success, cache_hit=hit, **(avoided if hit else counts)
    )


tokens = st.integers(0, 9999)
calls = st.builds(
    make_call, st.sampled_from(("m-small", "m-none")), st.booleans(), st.booleans(), tokens, tokens, tokens
)
per_million = st.decimals(0, 100, places=9, allow_nan=False, allow_infinity=False)


def expected(events: Iterable[dict[str, Any]], rates: oracle.Rates) -> dict[str, Fraction]:
    """Return what each event saved or wasted, added up."""
    sums = dict.fromkeys(NAMES, Fraction(0))
    for event in events:
        cost = oracle.cost_of(event, {"m-small": rates})
        sums["failed_usd"] += 0 if event["success"] else cost
        if "cpu_ms" in event:
            sums["retried_usd"] += cost if event["attempt"] > 1 else 0
            continue
        given, cached, made, request = rates if event["llm_model"] == "m-small" else oracle.CONSTANT
        sums["cached_usd"] += event["cached_input_tokens"] * (given - cached)
        if event["cache_hit"]:
            sums["skipped_usd"] += event["avoided_input_tokens"] * given
            sums["skipped_usd"] += event["avoided_output_tokens"] * made + request
    return sums


@effort(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.one_of(jobs, calls), min_size=1, max_size=20),
    st.tuples(per_million, per_million, per_million, per_million),
)
def test_savings_and_waste_are_exact(events: list[dict[str, Any]], amounts: tuple[Decimal, ...]) -> None:
    empty(TABLES)
    store_price(*(str(amount) for amount in amounts), effective_from=ON)
    store(*events)
    rollup_costs_for_date(ON)
    found = Savings.of(days([ON]).values())
    given, cached, made, request = (Fraction(amount) for amount in amounts)
    rates = (given / 10**6, cached / 10**6, made / 10**6, request)
    assert {name: Fraction(getattr(found, name)) for name in NAMES} == expected(events, rates)
    assert found.failures == sum(not event["success"] for event in events)
    assert found.retries == sum(event.get("attempt", 1) > 1 for event in events)
    assert ModelPrice.objects.count() == 1


def test_a_day_rolled_up_again_from_raw_saves_the_same() -> None:
    store(
        call("2024-05-04 11:00", cache_hit=True, avoided_input_tokens=1000),
        job("2024-05-04 10:00", cpu_ms=50, success=False, attempt=2),
    )
    rollup_costs_for_date(ON)
    first = Savings.of(days([ON]).values())
    rollup_costs_for_date(ON, from_raw=True)
    assert Savings.of(days([ON]).values()) == first
    assert (first.skipped_usd, first.failed_usd, first.retried_usd) == (
        Decimal("0.00015"),
        Decimal("0.000001"),
        Decimal("0.000001"),
    )


def test_nothing_saved_is_zero_and_has_no_share() -> None:
    nothing = Savings.of([Day()])
    assert (nothing.saved_usd, nothing.failed_share) == (0, None)
