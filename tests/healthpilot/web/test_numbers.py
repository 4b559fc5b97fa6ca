"""Figures keep their digits: short where shown, exact where asked."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthpilot.web import numbers


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("4845.4249", "$4,845.42"),
        ("1", "$1.00"),
        ("1.005", "$1.00"),
        ("1.015", "$1.02"),
        ("0.5", "$0.50"),
        ("0.0142", "$0.0142"),
        ("0.01", "$0.01"),
        ("0.0099", "$0.0099"),
        ("0.000031", "$0.000031"),
        ("0.00000042", "<$0.000001"),
        ("-12.5", "−$12.50"),
        ("12345678901234567890.12", "$12,345,678,901,234,567,890.12"),
    ],
)
def test_money_is_short_but_never_hides_a_cost(amount: str, text: str) -> None:
    assert numbers.money(Decimal(amount)) == text


@given(st.decimals(min_value="0.000000000001", max_value="0.009999", allow_nan=False))
def test_a_cost_below_a_cent_never_reads_as_nothing(amount: Decimal) -> None:
    assert numbers.money(amount).strip("<$0.") != ""


@given(st.decimals(min_value=0, max_value=10**12, places=18))
def test_exact_money_keeps_every_digit(amount: Decimal) -> None:
    assert Decimal(numbers.money_exact(amount).replace("$", "").replace(",", "")) == amount


def test_exact_money_writes_no_exponent() -> None:
    assert numbers.money_exact(Decimal("1E-9")) == "$0.000000001"
    assert numbers.money_exact(Decimal("5.8074795")) == "$5.8074795"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (99_999, "99,999"),
        (100_000, "100\u202fk"),
        (141_444, "141\u202fk"),
        (999_999, "1.0\u202fM"),
        (22_361_870, "22.4\u202fM"),
        (703_129_975, "703\u202fM"),
        (2_100_000_000, "2.1\u202fB"),
    ],
)
def test_counts_are_compact_only_above_one_hundred_thousand(value: int | None, text: str) -> None:
    assert numbers.compact(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "–"),
        (0, "0\u202fms"),
        (840, "840\u202fms"),
        (3100, "3.1\u202fs"),
        (41_200, "41\u202fs"),
        (250_000, "4\u202fmin 10\u202fs"),
        (7_500_000, "2\u202fh 5\u202fmin"),
        (864_000_000, "10\u202fd"),
    ],
)
def test_durations_choose_the_unit_a_person_would(milliseconds: int | None, text: str) -> None:
    assert numbers.duration(milliseconds) == text


def test_a_share_of_nothing_is_no_figure() -> None:
    assert numbers.share(5, 0) is None
    assert numbers.percent(None) == "–"
    assert numbers.percent(numbers.share(1, 3)) == "33.3\u202f%"


@given(st.decimals(min_value="0.000000001", max_value=10**15, allow_nan=False), st.integers(2, 6))
def test_axis_ticks_start_at_zero_and_reach_the_highest_value(highest: Decimal, most: int) -> None:
    ticks = numbers.axis_ticks(highest, most=most)
    assert ticks[0] == 0
    assert ticks[-1] >= highest > ticks[-2]
    assert len(ticks) <= most + 1
    assert len({later - earlier for earlier, later in pairwise(ticks)}) == 1


def test_an_axis_of_nothing_still_has_a_length() -> None:
    assert numbers.axis_ticks(Decimal(0)) == [0, 1]


@pytest.mark.parametrize(
    ("amounts", "places", "texts"),
    [
        (["1234.5", "0.8653", "0"], 2, ["$1,234.50", "$0.87", "$0.00"]),
        (["0.0204", "0.3"], 4, ["$0.0204", "$0.3000"]),
        (["12", "0.0012"], 4, ["$12.0000", "$0.0012"]),
        (["-0.004", "3"], 4, ["−$0.0040", "$3.0000"]),
        (["0.00000001", "5"], 6, ["<$0.000001", "$5.000000"]),
        ([], 2, []),
    ],
)
def test_a_column_of_money_has_the_same_decimals_in_every_row_and_hides_none(
    amounts: list[str], places: int, texts: list[str]
) -> None:
    values = [Decimal(amount) for amount in amounts]
    assert numbers.places(values) == places
    assert [numbers.money_at(value, places) for value in values] == texts


def test_an_amount_that_its_columns_decimals_would_hide_has_its_own() -> None:
    assert numbers.money_at(Decimal("0.0004"), 2) == "$0.0004"
