"""What the chart points at: price changes and big days."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from costs.marks import big_days, marks
from costs.models import CostBreakdownDaily, ModelPrice
from costs.ranges import DateRange

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 25)
MONTH = DateRange(TODAY - timedelta(days=29), TODAY, TODAY)
FLAT = {TODAY - timedelta(days=back): Decimal(10) for back in range(60)}


def price(model: str, on: date, *, is_called: bool = True) -> None:
    """Set a price, and have the model called on the range's first day."""
    if is_called:
        CostBreakdownDaily.objects.create(
            date=MONTH.first_on, kind="model", key=model, ai_calls=1, cost_usd=1, cost_exact=1
        )
    ModelPrice.objects.create(
        llm_model=model,
        effective_from=on,
        input_usd_per_million=1,
        cached_input_usd_per_million=1,
        output_usd_per_million=1,
        source="test",
    )


def test_prices_that_begin_are_marked_in_order_with_their_models() -> None:
    price("gpt-4o", date(2026, 11, 6))
    for model in ("m1", "m2", "m3"):
        price(model, date(2026, 11, 1))
    price("elsewhere", date(2026, 1, 1))
    price("never-called", date(2026, 11, 2), is_called=False)
    assert [(mark.letter, mark.on.day, mark.words) for mark in marks(MONTH, FLAT)] == [
        ("A", 1, "price of m1 and 2 more"),
        ("B", 6, "price of gpt-4o"),
    ]


def test_a_day_far_above_its_weekday_is_marked_and_an_ordinary_weekend_is_not() -> None:
    costs = {day: Decimal(4 if day.weekday() > 4 else 10) for day in FLAT} | {date(2026, 11, 17): Decimal(20)}
    assert big_days(MONTH.complete_dates, costs) == [(date(2026, 11, 17), "2 times a usual Tuesday")]


def test_a_weekend_half_as_dear_again_is_still_no_big_day() -> None:
    costs = {day: Decimal(4 if day.weekday() > 4 else 10) for day in FLAT} | {date(2026, 11, 21): Decimal(7)}
    assert big_days(MONTH.complete_dates, costs) == []


def test_today_is_not_judged_and_one_event_joins_the_price_of_its_day() -> None:
    price("gpt-4o", date(2026, 11, 6))
    costs = FLAT | {TODAY: Decimal(900), date(2026, 11, 6): Decimal(30)}
    assert [mark.words for mark in marks(MONTH, costs)] == ["price of gpt-4o; 3 times a usual Friday"]


def test_without_history_nothing_stands_out() -> None:
    assert big_days([TODAY - timedelta(days=1)], {TODAY - timedelta(days=1): Decimal(5)}) == []
