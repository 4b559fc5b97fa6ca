"""Reads of the rollup tables: right sums, few queries, and lists that page both ways."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import queries
from costs.models import CostDay
from costs.queries import Day, wait_at
from costs.ranges import DateRange, ending_today
from tests.costs.factories import (
    days_ago,
    make_breakdown,
    make_global_day,
    make_waits,
    today,
)

pytestmark = pytest.mark.django_db


def week() -> DateRange:
    return ending_today(7, today())


def test_days_without_a_row_are_zero_and_in_order() -> None:
    make_global_day(days_ago(2), "1.5", jobs=4)
    rows = queries.days(week().dates)
    assert list(rows) == week().dates
    assert rows[days_ago(2)].jobs == 4
    assert rows[days_ago(3)] == Day()


def test_the_extent_does_not_count_days_that_were_rolled_up_empty() -> None:
    make_global_day(days_ago(9), jobs=0, ai_calls=3)
    make_global_day(days_ago(4), jobs=1)
    make_global_day(today(), "0", jobs=0)
    extent = queries.extent()
    assert (extent.first_on, extent.last_on) == (days_ago(9), days_ago(4))
    assert extent.rolled_up_at is not None


def test_the_extent_of_nothing_is_nothing() -> None:
    extent = queries.extent()
    assert (extent.first_on, extent.last_on, extent.rolled_up_at) == (None, None, None)


def test_tier_costs_keep_every_digit_and_stay_within_the_range() -> None:
    make_breakdown(days_ago(1), "tier", "pro", "0.000000000000001")
    make_breakdown(days_ago(40), "tier", "pro", "9")
    make_breakdown(days_ago(1), "domain", "ai", "9")
    assert queries.tier_costs(week()) == {"pro": {days_ago(1): Decimal("0.000000000000001")}}


def test_domains_are_summed_the_busiest_first_and_no_more_than_asked_for() -> None:
    for back in (0, 1):
        make_breakdown(days_ago(back), "domain", "ai", jobs=5, job_failures=1)
        make_breakdown(days_ago(back), "domain", "sync", jobs=9)
        make_breakdown(days_ago(back), "domain", "", jobs=0)
    rows = queries.domains(week(), limit=2)
    assert [(row.domain, row.jobs, row.job_failures, row.cost_exact) for row in rows] == [
        ("sync", 18, 0, 2),
        ("ai", 10, 2, 2),
    ]


def test_waits_of_several_days_are_one_histogram() -> None:
    make_breakdown(days_ago(0), "domain", "ai", jobs=100)
    make_waits(days_ago(0), "ai", {40: 50})
    make_waits(days_ago(1), "ai", {40: 44, 60: 6})
    make_waits(days_ago(30), "ai", {80: 10_000})
    (row,) = queries.domains(week())
    assert row.wait_p50_ms == 940
    assert row.wait_p95_ms == 30_000


def test_a_domain_without_waits_has_no_wait() -> None:
    make_breakdown(today(), "domain", "ai", jobs=1)
    assert queries.domains(week())[0].wait_p95_ms is None


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=60), st.sampled_from([50, 95]))
def test_a_wait_read_from_buckets_is_close_to_the_real_one(waits: list[int], percent: int) -> None:
    histogram: dict[int, int] = {}
    for wait in waits:
        bucket = next(b for b in range(200) if wait <= 2 ** (b / 4) + 1e-9)
        histogram[bucket] = histogram.get(bucket, 0) + 1
    real = sorted(waits)[-(-len(waits) * percent // 100) - 1]
    read = wait_at(histogram, percent)
    assert read is not None
    assert real / 1.15 - 1 <= read <= real * 1.15 + 1


def test_unpriced_models_come_with_the_most_calls_first() -> None:
    make_breakdown(today(), "model", "a", ai_calls=9, unpriced_calls=2)
    make_breakdown(today(), "model", "b", ai_calls=9, unpriced_calls=5)
    make_breakdown(today(), "model", "c", ai_calls=9, unpriced_calls=0)
    assert [(row.model, row.unpriced_calls) for row in queries.unpriced_models(week())] == [
        ("b", 5),
        ("a", 2),
    ]


def test_the_newest_rollup_is_the_newest_of_all_days() -> None:
    make_global_day(days_ago(1))
    make_global_day(today())
    newest = CostDay.objects.get(date=today()).rolled_up_at
    assert newest is not None
    CostDay.objects.filter(date=days_ago(1)).update(rolled_up_at=newest - timedelta(hours=5))
    assert queries.rolled_up_at() == newest
