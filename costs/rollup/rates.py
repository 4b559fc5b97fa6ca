"""The rates of one day: price rows where they say so, the environment's constants elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q

from costs.models import ModelPrice
from costs.pricing import EXACT, Rates, TokenRates, constant_rates


def rates_on(day: date) -> Rates:
    """Return what one day's usage costs; of a model's price rows the newest that is in effect applies.

    A row is in effect from effective_from up to, not including, effective_to.
    """
    return constant_rates(
        cpu_ms_usd=settings.COST_CPU_MS,
        db_row_1k_usd=settings.COST_DB_ROW_1K,
        input_usd=settings.COST_LLM_INPUT_TOKEN,
        output_usd=settings.COST_LLM_OUTPUT_TOKEN,
        models=dict(prices_on(day)),
    )


def prices_on(day: date) -> Iterator[tuple[str, TokenRates]]:
    """Yield each priced model with its rates, a later price row after the one it replaces."""
    in_effect = Q(effective_to__isnull=True) | Q(effective_to__gt=day)
    for price in ModelPrice.objects.filter(in_effect, effective_from__lte=day).order_by("effective_from"):
        yield (
            price.llm_model,
            TokenRates.per_million(
                price.input_usd_per_million,
                price.cached_input_usd_per_million,
                price.output_usd_per_million,
                price.request_usd,
            ),
        )


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
            **columns,
            **constants,
        }

    def usd(self, units: Decimal) -> Decimal:
        """Return a sum of units in USD, exact."""
        return EXACT.scaleb(units, -self.places)
