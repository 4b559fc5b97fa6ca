"""Repricing: closed days keep their prices until told, and the preview is what happens, to the last digit."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from pytest_django import Settings

from costs.models import CostBreakdownDaily, CostDay, CostGlobalDaily, UsageDaily
from costs.prices import repricing
from costs.prices.repricing import PreviewOutdated
from costs.rollup import rollup_costs_for_date
from tests.costs import oracle
from tests.costs.events import call, job, rows_of, store
from tests.costs.prices.rows import store_price

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = [date(2024, 5, 4) + timedelta(days=offset) for offset in range(3)]
SPAN = (DAYS[0], DAYS[-1])
EVENTS = [
    call("2024-05-04 10:00", input_tokens=1001, cached_input_tokens=7, output_tokens=13),
    call(
        "2024-05-04 11:00", user_id="bob", tier="free", llm_model="m-large", input_tokens=77, output_tokens=5
    ),
    call("2024-05-05 10:00", cache_hit=True),
    call("2024-05-05 10:00", input_tokens=333, output_tokens=1),
    job("2024-05-05 12:00", cpu_ms=12_345, rows_read=9, rows_written=2),
    call("2024-05-06 10:00", llm_model="m-large", input_tokens=10**6, output_tokens=10**5),
]
RATES = (Fraction(3, 10**6), Fraction(1, 10**6), Fraction(7, 10**6), Fraction(1, 1000))


def roll() -> None:
    for day in DAYS:
        rollup_costs_for_date(day)


@pytest.fixture
def closed() -> None:
    """Three closed days, priced by the constants."""
    store(*EVENTS)
    roll()


def total() -> Decimal:
    return sum((row.cost_exact for row in CostGlobalDaily.objects.all()), Decimal(0))


def set_new_price(**values: Any) -> int:
    return store_price("3", "1", "7", "0.001", effective_from=DAYS[1], **values).pk


@pytest.mark.usefixtures("closed")
def test_a_price_for_past_days_changes_no_closed_day_by_itself() -> None:
    before = rows_of("cost_breakdown_daily")
    set_new_price()
    roll()
    assert rows_of("cost_breakdown_daily") == before


@pytest.mark.usefixtures("closed")
def test_a_late_event_is_added_to_a_closed_day_at_the_prices_it_was_closed_with() -> None:
    set_new_price()
    store(call("2024-05-05 23:00", input_tokens=1000))
    before = CostGlobalDaily.objects.get(date=DAYS[1]).cost_exact
    rollup_costs_for_date(DAYS[1])
    assert CostGlobalDaily.objects.get(date=DAYS[1]).cost_exact - before == Decimal("0.00015")


@pytest.mark.usefixtures("closed")
def test_the_preview_is_what_happens_and_what_an_oracle_says() -> None:
    price_id = set_new_price()
    days = repricing.preview(*SPAN)
    assert [day.on for day in days] == [DAYS[1]]
    before = total()
    results = [cost.total.cost_exact for _, cost in repricing.apply(days)]
    assert results == [day.now for day in days]
    assert total() - before == repricing.totals(days) != 0
    oracle.assert_days_match(oracle.days_of(EVENTS, "UTC", {day: {"m-small": RATES} for day in DAYS[1:]}))
    made = CostBreakdownDaily.objects.filter(kind="model", key="m-small").order_by("date")
    assert list(made.values_list("price_id", flat=True)) == [None, price_id]
    assert repricing.preview(*SPAN) == []


@pytest.mark.usefixtures("closed")
def test_the_next_price_is_previewed_against_the_one_before() -> None:
    set_new_price()
    list(repricing.apply(repricing.preview(*SPAN)))
    store_price("4", "1", "7", "0.001", effective_from=DAYS[1])
    (day,) = repricing.preview(*SPAN)
    assert day.change == Decimal("0.000333")


@pytest.mark.usefixtures("closed")
def test_a_changed_constant_changes_no_closed_day_and_is_previewed_with_its_jobs(settings: Settings) -> None:
    before = total()
    settings.COST_CPU_MS, settings.COST_LLM_INPUT_TOKEN = Decimal("0.000001"), Decimal("0.000001")
    roll()
    assert total() == before
    days = repricing.preview(*SPAN)
    assert len(days) == 3
    assert "" in [part.model for part in days[1].parts]
    results = [cost.total.cost_exact for _, cost in repricing.apply(days)]
    assert results == [day.now for day in days]
    assert repricing.preview(*SPAN) == []


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(("cpu", "rows"), [("0.00000007", "0.0000000333"), ("0", "0.7")])
def test_what_jobs_would_cost_follows_from_what_they_cost_without_a_look_at_the_partials(
    settings: Settings, cpu: str, rows: str
) -> None:
    settings.COST_CPU_MS, settings.COST_DB_ROW_1K = Decimal(cpu), Decimal(rows)
    UsageDaily.objects.all().delete()
    jobs = [part for day in repricing.preview(*SPAN) for part in day.parts if part.model == ""]
    assert [part.now for part in jobs if part.was] == [12_345 * Decimal(cpu) + 11 * Decimal(rows) / 1000]


def test_rows_that_were_free_are_counted_in_the_partials(settings: Settings) -> None:
    settings.COST_DB_ROW_1K = Decimal(0)
    store(*EVENTS)
    roll()
    settings.COST_DB_ROW_1K = Decimal("0.5")
    jobs = [part for day in repricing.preview(*SPAN) for part in day.parts if part.model == ""]
    assert [part.change for part in jobs] == [Decimal("0.0055")]


@pytest.mark.usefixtures("closed")
def test_a_rollup_between_preview_and_apply_is_noticed_and_nothing_is_written() -> None:
    set_new_price()
    days = repricing.preview(*SPAN)
    store(call("2024-05-05 20:00", input_tokens=5))
    rollup_costs_for_date(DAYS[1])
    before = rows_of("cost_global_daily")
    with pytest.raises(PreviewOutdated, match="2024-05-05 changed after the preview"):
        list(repricing.apply(days))
    assert rows_of("cost_global_daily") == before


@pytest.mark.usefixtures("closed")
def test_events_that_arrive_between_preview_and_apply_are_noticed_too() -> None:
    set_new_price()
    days = repricing.preview(*SPAN)
    store(call("2024-05-05 20:00", input_tokens=5))
    with pytest.raises(PreviewOutdated):
        list(repricing.apply(days))


@pytest.mark.usefixtures("closed")
def test_a_price_set_between_preview_and_apply_is_noticed() -> None:
    set_new_price()
    days = repricing.preview(*SPAN)
    store_price("9", effective_from=DAYS[1])
    with pytest.raises(PreviewOutdated):
        list(repricing.apply(days))


@pytest.mark.usefixtures("closed")
def test_an_open_day_goes_by_the_price_in_effect() -> None:
    CostDay.objects.update(closed_at=None)
    set_new_price()
    roll()
    oracle.assert_days_match(oracle.days_of(EVENTS, "UTC", {day: {"m-small": RATES} for day in DAYS[1:]}))
    assert repricing.preview(*SPAN) == []
