"""Tiers keep their order and mark; strangers are shown, gathered when there are several."""

from datetime import date
from decimal import Decimal

import pytest
from pytest_django import Settings

from costs.bands import bands, label_of, style_of

DAY = date(2026, 11, 20)
NEXT = date(2026, 11, 21)


def found(**costs: str) -> list[tuple[str, str, Decimal]]:
    rows = {tier: {DAY: Decimal(cost)} for tier, cost in costs.items()}
    return [(band.label, band.style, band.total) for band in bands(rows, [DAY, NEXT])]


@pytest.fixture(autouse=True)
def three_tiers(settings: Settings) -> None:
    settings.TIERS = ["free", "pro", "enterprise"]


def test_the_tier_shed_last_lies_at_the_bottom() -> None:
    assert found(free="1", enterprise="3", pro="2") == [
        ("Enterprise", "1", 3),
        ("Pro", "2", 2),
        ("Free", "3", 1),
    ]


def test_a_tier_keeps_its_mark_when_others_are_absent() -> None:
    assert found(pro="2") == [("Pro", "2", 2)]


def test_a_tier_that_cost_nothing_takes_no_room() -> None:
    assert found(free="0", pro="2") == [("Pro", "2", 2)]


def test_a_single_stranger_is_shown_by_the_name_it_was_recorded_with() -> None:
    assert found(pro="1", batchX="2") == [("Pro", "2", 1), ("batchX", "other", 2)]


def test_several_strangers_are_gathered_and_none_of_their_cost_is_lost() -> None:
    assert found(pro="1", a="2", b="3", c="0") == [("Pro", "2", 1), ("Other (2)", "other", 5)]


def test_a_fourth_configured_tier_joins_the_others(settings: Settings) -> None:
    settings.TIERS = ["trial", "free", "pro", "enterprise"]
    assert style_of("trial") == "other"
    assert label_of("trial") == "Trial"


def test_no_tier_has_a_name_too() -> None:
    assert label_of("") == "No tier"


def test_a_band_has_a_value_for_every_day() -> None:
    rows = {"pro": {NEXT: Decimal(4)}}
    assert bands(rows, [DAY, NEXT])[0].values == [0, 4]
