"""What usage costs, as SQL over any range: the rates of each stretch of days beside the rows they price.

Unlike the rollup, which prices one day into whole units, these parts price a range at once with numeric
arithmetic, exact too: sums here and the rollup's agree to the last digit while the prices are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
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
# Where the environment's constants changed from one closed day to the next, a row goes by those of its {day}.
RATES = """
JOIN unnest(%(rate_first_on)s::date[], %(rate_last_on)s::date[], %(rate_cpu_ms_usd)s::numeric[],
    %(rate_row_usd)s::numeric[], %(rate_any_input_usd)s::numeric[], %(rate_any_cached_usd)s::numeric[],
    %(rate_any_output_usd)s::numeric[], %(rate_any_request_usd)s::numeric[])
    AS rate (first_on, last_on, cpu_ms_usd, row_usd, any_input_usd, any_cached_usd, any_output_usd,
        any_request_usd)
    ON {day} BETWEEN rate.first_on AND rate.last_on"""
CONSTANTS = ("cpu_ms_usd", "row_usd", *(f"any_{kind}" for kind in KINDS))
OF_RANGE = {name: f"%({name})s::numeric" for name in CONSTANTS}
OF_DAY = {name: f"rate.{name}" for name in CONSTANTS}
JOBS = "cpu_ms * {cpu_ms_usd} + (rows_read + rows_written) * {row_usd}"
CALLS = """
    (input_tokens - cached_input_tokens) * coalesce(price.input_usd, {any_input_usd})
    + cached_input_tokens * coalesce(price.cached_usd, {any_cached_usd})
    + output_tokens * coalesce(price.output_usd, {any_output_usd})
    + {requests} * coalesce(price.request_usd, {any_request_usd})"""
REQUESTS = "(ai_calls - cache_hits)"
JOB_USD = JOBS.format(**OF_RANGE)
USAGE_USD = f"{JOB_USD} + {CALLS.format(requests=REQUESTS, **OF_RANGE)}"
USAGE_USD_BY_DAY = f"{JOBS.format(**OF_DAY)} + {CALLS.format(requests=REQUESTS, **OF_DAY)}"
CALL_USD = CALLS.format(requests="(CASE WHEN cache_hit THEN 0 ELSE 1 END)", **OF_RANGE)


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
    return {
        "timezone": settings.COST_TIMEZONE,
        "first_on": first_on,
        "last_on": last_on,
        **constants_of(found[-1].rates),
        **prices,
    }


def parameters_by_day(found: list[Stretch]) -> dict[str, Any]:
    """Return what RATES needs beside `parameters`: each stretch with its constants."""
    rows = [{"first_on": one.first_on, "last_on": one.last_on, **constants_of(one.rates)} for one in found]
    return {f"rate_{name}": [row[name] for row in rows] for name in ("first_on", "last_on", *CONSTANTS)}


def constants_of(rates: Rates) -> dict[str, Decimal]:
    """Return rates that hold where no price row says otherwise, by the names that the statements use."""
    tokens = {f"any_{kind}": getattr(rates.constant, kind) for kind in KINDS}
    return {"cpu_ms_usd": rates.cpu_ms_usd, "row_usd": rates.row_usd, **tokens}


def price_rows(found: list[Stretch]) -> Iterator[tuple[Any, ...]]:
    for one in found:
        for model, rates in one.rates.models.items():
            yield model, one.first_on, one.last_on, *(getattr(rates, kind) for kind in KINDS)
