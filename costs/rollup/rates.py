"""The rates of one day: price rows where they say so, the environment's constants elsewhere.

Which row prices a model is decided by its name as recorded, byte for byte, and the local day: rows that are
not superseded never overlap, so there is one or none. A closed day keeps the prices it was closed with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q

from costs.models import CostBreakdownDaily, CostDay, ModelPrice
from costs.pricing import EXACT, Rates, TokenRates, constant_rates, plain

Constants = dict[str, str]


def rates_on(day: date) -> Rates:
    """Return what one day's usage costs by the prices that are in effect for it now."""
    return made_of(current_constants(), prices_on(day))


def kept_rates(day: date) -> Rates:
    """Return what a day's usage costs by the prices of its last rollup, if it is closed."""
    return kept_rates_between(day, day)[day]


def kept_rates_between(first: date, last: date) -> dict[date, Rates]:
    """Return the rates of every day of a span, in order: closed days by the prices they were closed with.

    A model that came to a closed day afterwards goes by the price in effect, as every model of an open day.
    """
    span = {"date__range": (first, last)}
    closed = dict(
        CostDay.objects.filter(**span, closed_at__isnull=False).values_list("date", "constants_json")
    )
    kept: dict[date, dict[str, int | None]] = {day: {} for day in closed}
    made = CostBreakdownDaily.objects.filter(**span, kind="model", ai_calls__gt=0)
    for day, model, price_id in made.values_list("date", "key", "price_id"):
        if day in kept:
            kept[day][model] = price_id
    ids = {price_id for prices in kept.values() for price_id in prices.values() if price_id is not None}
    rows = {price.id: price for price in ModelPrice.objects.filter(Q(id__in=ids) | in_effect(first, last))}
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return {day: day_rates(day, rows, kept.get(day, {}), closed.get(day)) for day in days}


def day_rates(
    day: date, rows: Mapping[int, ModelPrice], kept: Mapping[str, int | None], constants: Constants | None
) -> Rates:
    """Return one day's rates: of the models in kept by the rows named there, of others by those in effect."""
    named = [rows[price_id] for price_id in kept.values() if price_id is not None]
    others = [
        price
        for price in rows.values()
        if price.llm_model not in kept
        and price.superseded_at is None
        and price.effective_from <= day
        and (price.effective_to is None or price.effective_to > day)
    ]
    return made_of(constants or current_constants(), [*named, *others])


def in_effect(first: date, last: date) -> Q:
    """Return the condition for rows that apply to any day of a span."""
    unended = Q(effective_to__isnull=True) | Q(effective_to__gt=first)
    return unended & Q(superseded_at=None, effective_from__lte=last)


def prices_on(day: date) -> list[ModelPrice]:
    """Return the price rows in effect on a day: from effective_from up to, not including, effective_to."""
    return list(ModelPrice.objects.filter(in_effect(day, day)))


def current_constants() -> Constants:
    """Return the environment's prices as text: USD per CPU millisecond, 1,000 rows and token."""
    return {
        "cpu_ms_usd": plain(settings.COST_CPU_MS),
        "db_row_1k_usd": plain(settings.COST_DB_ROW_1K),
        "input_usd": plain(settings.COST_LLM_INPUT_TOKEN),
        "output_usd": plain(settings.COST_LLM_OUTPUT_TOKEN),
    }


def made_of(constants: Constants, prices: Iterable[ModelPrice]) -> Rates:
    """Return the rates that constants and price rows make together."""
    rows = list(prices)
    return constant_rates(
        **{name: Decimal(usd) for name, usd in constants.items()},
        models={price.llm_model: token_rates(price) for price in rows},
        price_ids={price.llm_model: price.id for price in rows},
    )


def token_rates(price: ModelPrice) -> TokenRates:
    """Return a price row's rates by the token."""
    return TokenRates.per_million(*price.amounts)


def constants_of(rates: Rates) -> Constants:
    """Return the constants that rates were made with, as they are kept with the day."""
    return {
        "cpu_ms_usd": plain(rates.cpu_ms_usd),
        "db_row_1k_usd": plain(EXACT.scaleb(rates.row_usd, 3)),
        "input_usd": plain(rates.constant.input_usd),
        "output_usd": plain(rates.constant.output_usd),
    }


@dataclass(frozen=True)
class Weights:
    """Rates as whole numbers of a unit of 10^-places USD, so that SQL multiplies and adds integers only."""

    rates: Rates
    places: int

    @classmethod
    def of(cls, rates: Rates) -> "Weights":
        return cls(rates, rates.places)

    def whole(self, usd: Decimal) -> int:
        """Return a rate in units; exact, because places holds every rate."""
        return int(EXACT.scaleb(usd, self.places))

    def parameters(self) -> dict[str, Any]:
        """Return the statement parameters that carry the rates; any_ are those of models without a price."""
        models = list(self.rates.models)
        kinds = ("input_usd", "cached_usd", "output_usd", "request_usd")
        columns = {
            kind: [self.whole(getattr(self.rates.models[model], kind)) for model in models] for kind in kinds
        }
        constants = {f"any_{kind}": self.whole(getattr(self.rates.constant, kind)) for kind in kinds}
        return {
            "cpu": self.whole(self.rates.cpu_ms_usd),
            "row": self.whole(self.rates.row_usd),
            "models": models,
            "price_ids": [self.rates.price_ids.get(model) for model in models],
            **columns,
            **constants,
        }

    def usd(self, units: Decimal) -> Decimal:
        """Return a sum of units in USD, exact."""
        return EXACT.scaleb(units, -self.places)
