"""Key figures: totals with today, comparisons without it, and no percentage of nothing."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from costs.cards import Card, cards
from costs.queries import Day, ModelRow
from costs.ranges import DateRange, ending_today

TODAY = date(2026, 11, 22)
WEEK = ending_today(7, TODAY)
MODELS = (ModelRow("o5", 10, 10),)


def made(asked: DateRange = WEEK, *, now: Any = None, before: Any = None, users: int = 0) -> dict[str, Card]:
    """Return cards where every day of the range has one row and every earlier day another."""
    rows = {day: now or Day() for day in asked.dates}
    rows |= {day: before or Day() for day in asked.previous_dates}
    return {card.key: card for card in cards(asked, rows, users=users, unpriced=MODELS, today=TODAY)}


def test_the_total_includes_today_and_the_comparison_does_not() -> None:
    spend = made(now=Day(cost_exact=Decimal(2)), before=Day(cost_exact=Decimal(1)))["spend"]
    assert spend.total == 14
    assert spend.current == 12
    assert spend.previous == 6
    assert spend.change == 100


def test_the_spend_says_how_much_of_it_is_today() -> None:
    assert made(now=Day(cost_exact=Decimal("0.000042")))["spend"].foot == "$0.000042 of it today so far"


def test_something_after_nothing_is_new_not_a_percentage() -> None:
    spend = made(now=Day(cost_exact=Decimal(2)))["spend"]
    assert spend.is_new
    assert spend.change is None


def test_a_change_that_would_read_zero_is_called_steady() -> None:
    assert made(now=Day(jobs=10_000), before=Day(jobs=9_999))["jobs"].is_steady
    assert not made(now=Day(jobs=101), before=Day(jobs=100))["jobs"].is_steady
    assert not made(now=Day(jobs=5))["jobs"].is_steady


def test_nothing_after_nothing_is_neither_new_nor_a_change() -> None:
    for card in made().values():
        assert not card.is_new
        assert card.change is None


def test_the_hit_rate_changes_in_points() -> None:
    now, before = Day(ai_calls=100, cache_hits=30), Day(ai_calls=100, cache_hits=20)
    rate = made(now=now, before=before)["cache_hit_rate"]
    assert (rate.total, rate.change) == (30, 10)
    assert rate.text == "30.0\u202f%"


def test_the_hit_rate_says_what_caches_saved() -> None:
    now = Day(
        ai_calls=9, cache_hits=2, saved_skipped_exact=Decimal("0.5"), saved_cached_exact=Decimal("0.25")
    )
    assert made(now=now)["cache_hit_rate"].foot == "$5.25 saved, 14 hits"


def test_the_hit_rate_weighs_days_by_their_calls() -> None:
    rows = {day: Day(ai_calls=1, cache_hits=1) for day in (*WEEK.dates, *WEEK.previous_dates)}
    rows[TODAY] = Day(ai_calls=994, cache_hits=0)
    rate = next(c for c in cards(WEEK, rows, users=0, unpriced=(), today=TODAY) if c.key == "cache_hit_rate")
    assert rate.total == Decimal(6) * 100 / 1000


def test_distinct_users_are_compared_by_the_average_day() -> None:
    users = made(now=Day(users=30), before=Day(users=20), users=44)["users"]
    assert users.total == 44
    assert users.change == 50


def test_unpriced_calls_warn_only_where_others_have_a_price() -> None:
    some = made(now=Day(ai_calls=10, unpriced_calls=1))["unpriced_calls"]
    every = made(now=Day(ai_calls=10, unpriced_calls=10))["unpriced_calls"]
    assert some.warns
    assert not every.warns
    assert "default rates apply" in every.foot


@pytest.mark.parametrize("days", [1, 7, 30])
def test_every_series_has_a_value_per_day(days: int) -> None:
    asked = ending_today(days, TODAY)
    for card in made(asked).values():
        assert len(card.series) == days
        assert len(card.previous_series) == days - 1


def test_the_exact_total_keeps_every_digit() -> None:
    row = replace(Day(), cost_exact=Decimal("0.0000000001"))
    assert made(now=row)["spend"].exact == "$0.0000000007"


def test_a_range_in_the_past_counts_all_of_its_days() -> None:
    past = DateRange(TODAY - timedelta(days=20), TODAY - timedelta(days=11), TODAY)
    spend = made(past, now=Day(cost_exact=Decimal(1)))["spend"]
    assert spend.total == spend.current == 10
    assert spend.foot == ""
