"""What usage costs, as SQL over any range: the rates of each stretch of days beside the rows they price.

Unlike the rollup, which prices one day into whole units, these parts price a range at once with numeric
arithmetic, exact too: sums here and the rollup's agree to the last digit while the prices are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from costs.pricing import Rates
from costs.rollup.rates import kept_rates_between

KINDS = ("input_usd", "cached_usd", "output_usd", "request_usd")

# {day} is the local day and {model} the model of the row that is priced.
PRICES = """
LEFT JOIN unnest(%(price_model)s::text[], %(price_first_on)s::date[], %(price_last_on)s::date[],
    %(price_input_usd)s::numeric[], %(price_cached_usd)s::numeric[], %(price_output_usd)s::numeric[],
    %(price_request_usd)s::numeric[])
    AS price (model, first_on, last_on, input_usd, cached_usd, output_usd, request_usd)
    ON price.model = {model} AND {day} BETWEEN price.first_on AND price.last_on"""
JOB_USD = "cpu_ms * %(cpu_ms_usd)s::numeric + (rows_read + rows_written) * %(row_usd)s::numeric"
LLM_USD = """
    (input_tokens - cached_input_tokens) * coalesce(price.input_usd, %(any_input_usd)s::numeric)
    + cached_input_tokens * coalesce(price.cached_usd, %(any_cached_usd)s::numeric)
    + output_tokens * coalesce(price.output_usd, %(any_output_usd)s::numeric)
    + {requests} * coalesce(price.request_usd, %(any_request_usd)s::numeric)"""
USAGE_USD = f"{JOB_USD} + {LLM_USD.format(requests='(ai_calls - cache_hits)')}"
CALL_USD = LLM_USD.format(requests="(CASE WHEN cache_hit THEN 0 ELSE 1 END)")


@dataclass(frozen=True)
class Stretch:
    """Days in a row on which the same rates apply."""

    first_on: date
    last_on: date
    rates: Rates


def stretches(first_on: date, last_on: date) -> list[Stretch]:
    """Return the stretches of a range, in order and without gaps; closed days have the prices they keep."""
    found: list[Stretch] = []
    for day, rates in kept_rates_between(first_on, last_on).items():
        if found and found[-1].rates == rates:
            found[-1] = Stretch(found[-1].first_on, day, rates)
        else:
            found.append(Stretch(day, day, rates))
    return found


def parameters(first_on: date, last_on: date) -> dict[str, Any]:
    """Return what the statements above need to price the rows of a range."""
    found = stretches(first_on, last_on)
    rows = list(price_rows(found))
    columns = ("model", "first_on", "last_on", *KINDS)
    prices = {f"price_{name}": [row[index] for row in rows] for index, name in enumerate(columns)}
    rates = found[-1].rates
    constants = {f"any_{kind}": getattr(rates.constant, kind) for kind in KINDS}
    return {
        "cpu_ms_usd": rates.cpu_ms_usd,
        "row_usd": rates.row_usd,
        "timezone": settings.COST_TIMEZONE,
        "first_on": first_on,
        "last_on": last_on,
        **constants,
        **prices,
    }


def price_rows(found: list[Stretch]) -> Iterator[tuple[Any, ...]]:
    for one in found:
        for model, rates in one.rates.models.items():
            yield model, one.first_on, one.last_on, *(getattr(rates, kind) for kind in KINDS)
