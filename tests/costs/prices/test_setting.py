"""Setting a price: rows never overlap, nothing is lost, and of two admins one is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from costs.days import dirty_days
from costs.models import CostGlobalDaily, ModelPrice
from costs.prices.setting import PriceConflict, newest_id, set_price
from costs.rollup import rollup_costs_for_date
from costs.rollup.rates import prices_on
from tests.costs.events import call, store
from tests.costs.factories import days_ago, today
from tests.costs.prices.rows import MAY, price, store_price

pytestmark = pytest.mark.django_db(transaction=True)

days = st.integers(0, 6).map(lambda offset: MAY + timedelta(days=offset))


def test_a_new_price_ends_the_one_before_it() -> None:
    first = store_price("1")
    second = store_price("3", effective_from=date(2024, 6, 1))
    first.refresh_from_db()
    assert (first.effective_to, first.superseded_at) == (date(2024, 6, 1), None)
    assert second.effective_to is None


def test_today_is_rolled_up_anew_by_a_price_set_now_and_a_closed_day_is_not() -> None:
    for back in (0, 2):
        store(call(f"{days_ago(back)} 00:00", input_tokens=1000))
        rollup_costs_for_date(days_ago(back))
    later = timezone.now() + timedelta(minutes=5)
    assert dirty_days(later) == []
    store_price("3", effective_from=days_ago(5))
    assert dirty_days(later) == [today()]
    rollup_costs_for_date(today())
    assert CostGlobalDaily.objects.get(date=today()).cost_exact == Decimal("0.003")


def test_a_price_set_before_a_later_one_lasts_until_that_one_begins() -> None:
    store_price("3", effective_from=date(2024, 6, 1))
    assert store_price("1").effective_to == date(2024, 6, 1)


def test_a_price_from_the_same_day_supersedes_and_keeps_the_old_row_as_it_was() -> None:
    wrong = store_price("100")
    store_price("1")
    wrong.refresh_from_db()
    assert wrong.superseded_at is not None
    assert wrong.input_usd_per_million == 100


def test_the_same_price_again_changes_nothing() -> None:
    first = store_price("1")
    assert set_price(price("1"), seen=0) == first
    assert ModelPrice.objects.count() == 1


def test_a_price_thought_up_before_another_was_set_is_refused_and_says_whose_that_is() -> None:
    seen = newest_id("m-small")
    store_price("5", created_by="olga")
    with pytest.raises(PriceConflict, match="olga set one from 2024-05-01"):
        set_price(price("7"), seen=seen)
    assert ModelPrice.objects.get().input_usd_per_million == 5


def test_of_two_first_prices_at_once_one_is_stored_and_the_other_is_told() -> None:
    start = Barrier(2)

    def attempt(amount: str) -> str:
        try:
            start.wait()
            set_price(price(amount), seen=0)
        except PriceConflict:
            return "told"
        else:
            return "stored"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, ("1", "2"))) == ["stored", "told"]
    assert ModelPrice.objects.count() == 1


def test_the_database_itself_refuses_rows_that_overlap() -> None:
    row = store_price("1")
    row.pk, row.effective_from = None, date(2024, 7, 1)
    with pytest.raises(IntegrityError, match="cost_model_prices_no_overlap"), transaction.atomic():
        row.save(force_insert=True)


@effort(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(days, st.integers(1, 9)), max_size=8))
def test_whatever_the_order_the_price_said_last_from_a_day_on_or_before_applies(
    said: list[tuple[date, int]],
) -> None:
    ModelPrice.objects.all().delete()
    for day, amount in said:
        store_price(str(amount), effective_from=day)
    kept = dict(said)  # of several from the same day the last
    for offset in range(8):
        day = MAY + timedelta(days=offset)
        began = max((start for start in kept if start <= day), default=None)
        found = [int(row.input_usd_per_million) for row in prices_on(day)]
        assert found == ([] if began is None else [kept[began]])
