"""Where the month will end, against series made by hand."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.forecast import Projection, basis_of, month_of, project, quantile, spread

# A Wednesday with five days after it: the 26th to the 30th are Thursday to Monday.
TODAY = date(2026, 11, 25)
LONG_AGO = date(2026, 1, 1)


def series(cost: Callable[[date], Decimal | int], *, today: date = TODAY) -> dict[date, Decimal]:
    days = [today - timedelta(days=back) for back in range(1, 60)]
    return {day: Decimal(cost(day)) for day in days} | {today: Decimal(0)}


def projected(costs: dict[date, Decimal], *, today: date = TODAY, began_on: date = LONG_AGO) -> Projection:
    found = project(costs, today, began_on=began_on)
    assert found is not None
    return found


def test_days_that_are_all_alike_go_on_so_without_any_doubt() -> None:
    found = projected(series(lambda day: 10))
    assert (found.spent, found.total, found.least, found.most) == (240, 300, 300, 300)
    assert found.days == [date(2026, 11, day) for day in range(25, 31)]


def test_a_weekend_to_come_counts_as_a_weekend() -> None:
    found = projected(series(lambda day: 1 if day.weekday() > 4 else 10))
    assert found.total - found.spent == 10 + 10 + 10 + 1 + 1 + 10
    assert found.least == found.most == found.total


def test_only_the_last_four_weeks_count() -> None:
    changed_on = TODAY - timedelta(days=28)
    assert (
        projected(series(lambda day: 7 if day >= changed_on else 900)).least
        == projected(series(lambda day: 7 if day >= changed_on else 1)).least
    )


def test_today_counts_as_at_least_what_it_has_cost_already() -> None:
    costs = series(lambda day: 10)
    assert projected(costs | {TODAY: Decimal(4)}).total == 300
    assert projected(costs | {TODAY: Decimal(25)}).total == 315


def test_what_usually_follows_this_hour_is_still_to_come_however_much_today_was() -> None:
    costs = series(lambda day: 10) | {TODAY: Decimal(25)}
    found = project(costs, TODAY, began_on=LONG_AGO, done_share=Decimal("0.7"))
    assert found is not None
    assert found.middle[0] - found.spent == 3
    assert found.total == 240 + 25 + 3 + 50


def test_the_later_it_is_the_less_today_strays() -> None:
    last = date(2026, 11, 30)
    costs = series(lambda day: day.day % 5 + 3, today=last)
    ends = [project(costs, last, began_on=LONG_AGO, done_share=Decimal(share)) for share in ("0", "0.9", "1")]
    widths = [end.most - end.least for end in ends if end]
    assert widths[0] > widths[1] > widths[2] == 0


def test_the_band_is_that_of_days_that_stray_by_one_both_ways() -> None:
    """Alternate weeks cost 9 and 11: each weekday's others lie 4/3 away, one day's q is 4/3."""
    costs = series(lambda day: 9 if day.isocalendar().week % 2 else 11)
    found = projected(costs)
    width = Decimal("1.333333") * spread(6, 28)
    assert found.total - found.spent == 60
    assert abs((found.most - found.total) - width) < Decimal("0.0001")
    assert abs((found.total - found.least) - width) < Decimal("0.0001")


def test_the_band_widens_with_the_days_that_remain() -> None:
    costs = series(lambda day: day.day % 5 + 3)
    found = projected(costs)
    widths = [high - low for low, high in zip(found.low, found.high, strict=True)]
    assert widths == sorted(widths)
    assert widths[0] > 0


def test_the_band_never_falls_below_what_is_spent() -> None:
    costs = series(lambda day: 100 if day.day == 10 else 0)
    assert projected(costs).least >= projected(costs).spent


def test_on_the_last_day_only_today_is_open() -> None:
    last = date(2026, 11, 30)
    found = projected(series(lambda day: 10, today=last), today=last)
    assert found.days == [last]
    assert found.total == 300


def test_on_the_first_day_nothing_is_spent_and_all_is_estimated() -> None:
    first = date(2026, 12, 1)
    found = projected(series(lambda day: 10, today=first), today=first)
    assert (found.spent, found.total, len(found.days)) == (0, 310, 31)


@pytest.mark.parametrize(("days", "known"), [(13, False), (14, True)])
def test_two_weeks_of_data_are_the_least(days: int, known: bool) -> None:
    began_on = TODAY - timedelta(days=days)
    assert (project(series(lambda day: 1), TODAY, began_on=began_on) is not None) is known


def test_days_before_the_first_event_are_not_quiet_days() -> None:
    began_on = TODAY - timedelta(days=21)
    costs = series(lambda day: 10 if day >= began_on else 0)
    assert projected(costs, began_on=began_on).total - projected(costs, began_on=began_on).spent == 60
    assert len(basis_of(costs, TODAY, began_on=began_on)) == 21


def test_a_leap_february_has_29_days() -> None:
    assert len(month_of(date(2028, 2, 3))) == 29


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (10, "1.3"), (50, "2.5"), (100, 4)])
def test_a_quantile_lies_between_its_neighbours(percent: int, value: str) -> None:
    assert quantile([Decimal(4), Decimal(1), Decimal(3), Decimal(2)], percent) == Decimal(value)


@given(st.lists(st.decimals(0, 10_000, places=6), min_size=28, max_size=28), st.integers(1, 28))
def test_whatever_was_spent_the_estimate_is_ordered_and_the_same_twice(
    amounts: list[Decimal], number: int
) -> None:
    today = date(2026, 2, number)
    costs = {today - timedelta(days=back + 1): amount for back, amount in enumerate(amounts)}
    costs |= {day: costs.get(day, Decimal(0)) for day in month_of(today)}
    found = projected(costs, today=today)
    assert found.spent <= found.least <= found.total <= found.most
    assert found == projected(costs, today=today)
