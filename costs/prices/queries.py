"""Reads about prices: which models were seen, their price rows, and the days that other prices made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F

from costs.models import CostDay, CostGlobalDaily, ModelPrice
from costs.pricing import EXACT
from costs.ranges import DateRange, spoken
from healthpilot.web.pages import DEFAULT_LIMIT, Cursor, Page, keyset_page

RECENT_DAYS = 30
MOST_UNPRICED = 50
MOST_USED = 50
CALLS_LOOKED_AT = 1000

# One index probe a model: the recorded names without a look at every event.
SEEN = """
WITH RECURSIVE names AS (
    SELECT min(llm_model) AS model FROM telemetry_llm_events WHERE llm_model > ''
    UNION ALL
    SELECT (SELECT min(llm_model) FROM telemetry_llm_events WHERE llm_model > names.model)
    FROM names WHERE names.model IS NOT NULL
)
SELECT model FROM names WHERE model IS NOT NULL
UNION SELECT key FROM cost_breakdown_daily WHERE kind = 'model' AND key <> '' AND ai_calls > 0
ORDER BY 1"""

PROVIDERS = f"""
SELECT provider, count(*) FROM (
    SELECT provider FROM telemetry_llm_events WHERE llm_model = %s ORDER BY created_at DESC
    LIMIT {CALLS_LOOKED_AT}
) AS newest GROUP BY provider ORDER BY count(*) DESC, provider"""

UNPRICED = """
SELECT used.key, sum(unpriced_calls)::bigint, min(date), max(date), sum(cost_exact), max(price.id)
FROM cost_breakdown_daily AS used
LEFT JOIN cost_model_prices AS price ON price.llm_model = used.key AND price.superseded_at IS NULL
    AND price.effective_from <= used.date AND (price.effective_to IS NULL OR price.effective_to > used.date)
WHERE kind = 'model' AND unpriced_calls > 0
GROUP BY used.key ORDER BY (max(price.id) IS NOT NULL), 2 DESC, 1 LIMIT %(most)s"""

PRICED = """
SELECT price.id, price.llm_model,
    coalesce(sum(used.ai_calls), 0)::bigint AS calls, coalesce(sum(used.cost_exact), 0) AS cost
FROM cost_model_prices AS price
LEFT JOIN cost_breakdown_daily AS used ON used.kind = 'model' AND used.key = price.llm_model
    AND used.price_id = price.id AND used.date > %(since)s
WHERE price.superseded_at IS NULL AND price.effective_from <= %(today)s
    AND (price.effective_to IS NULL OR price.effective_to > %(today)s) {place}
GROUP BY price.id, price.llm_model ORDER BY price.llm_model {order} LIMIT %(most)s"""

USED = """
SELECT price_id, min(date), max(date), sum(ai_calls)::bigint, sum(cost_exact) FROM (
    SELECT *, row_number() OVER (ORDER BY date) - row_number() OVER (PARTITION BY price_id ORDER BY date)
        AS stretch
    FROM cost_breakdown_daily
    WHERE kind = 'model' AND key = %(model)s AND date BETWEEN %(first)s AND %(last)s AND ai_calls > 0
) AS days GROUP BY price_id, stretch ORDER BY max(date) DESC LIMIT %(most)s"""

# Closed days keep their prices. These are the parts of them that other prices would make now: a model's cost
# is linear in its kept sums. Multiplying by a millionth is exact where dividing by a million is not. Of jobs
# the rows are not kept, but the cost that they made is, and they are whole: so the page never sums the
# partials again, unless a day was closed while rows were free.
REPRICED = """
SELECT used.date, used.key, used.ai_calls, used.cost_exact, CASE WHEN price.id IS NULL
    THEN (tokens_in - cached_tokens) * %(input_usd)s::numeric + cached_tokens * %(input_usd)s::numeric
        + tokens_out * %(output_usd)s::numeric
    ELSE ((tokens_in - cached_tokens) * price.input_usd_per_million
        + cached_tokens * price.cached_input_usd_per_million
        + tokens_out * price.output_usd_per_million) * 0.000001
        + (ai_calls - cache_hits) * price.request_usd END, price.id
FROM cost_days AS day JOIN cost_breakdown_daily AS used ON used.date = day.date
LEFT JOIN cost_model_prices AS price ON price.llm_model = used.key AND price.superseded_at IS NULL
    AND price.effective_from <= used.date AND (price.effective_to IS NULL OR price.effective_to > used.date)
WHERE day.closed_at IS NOT NULL AND day.date BETWEEN %(first)s AND %(last)s
    AND used.kind = 'model' AND used.ai_calls > 0
    AND (used.price_id IS DISTINCT FROM price.id
        OR (price.id IS NULL AND (day.constants_json ->> 'input_usd', day.constants_json ->> 'output_usd')
            <> (%(input_usd)s, %(output_usd)s)))
UNION ALL
SELECT day.date, '', 0, used.cost_exact, used.cpu_ms * %(cpu_ms_usd)s::numeric
    + %(db_row_1k_usd)s::numeric * 0.001 * CASE WHEN (day.constants_json ->> 'db_row_1k_usd')::numeric > 0
        THEN round((used.cost_exact - used.cpu_ms * (day.constants_json ->> 'cpu_ms_usd')::numeric) * 1000
            / (day.constants_json ->> 'db_row_1k_usd')::numeric)
        ELSE (SELECT coalesce(sum(rows_read + rows_written), 0)
            FROM usage_daily WHERE usage_daily.day = used.date AND model = '') END, NULL
FROM cost_days AS day JOIN cost_breakdown_daily AS used ON used.date = day.date
WHERE day.closed_at IS NOT NULL AND day.date BETWEEN %(first)s AND %(last)s
    AND used.kind = 'model' AND used.key = ''
    AND (day.constants_json ->> 'cpu_ms_usd', day.constants_json ->> 'db_row_1k_usd')
        <> (%(cpu_ms_usd)s, %(db_row_1k_usd)s)
ORDER BY 1, 2"""


@dataclass(frozen=True)
class Part:
    """What one model (or '' for jobs) cost on a closed day, and would cost by the prices in effect now."""

    on: date
    model: str
    calls: int
    was: Decimal
    now: Decimal
    price_id: int | None

    @property
    def change(self) -> Decimal:
        return EXACT.subtract(self.now, self.was)


@dataclass(frozen=True)
class Unpriced:
    """A model whose calls the constants priced; price_id names a row that would price them now."""

    model: str
    calls: int
    first_on: date
    last_on: date
    cost_exact: Decimal
    price_id: int | None


@dataclass(frozen=True)
class Priced:
    """A model with its price of today, and what was spent at that price in the last 30 days."""

    price: ModelPrice
    calls: int
    cost_exact: Decimal


@dataclass(frozen=True)
class Used:
    """A price that made a model's figures of some days in a row; the constants did where it is None."""

    price: ModelPrice | None
    first_on: date
    last_on: date
    calls: int
    cost_exact: Decimal

    @property
    def days(self) -> str:
        return spoken(self.first_on, self.last_on)


def seen_models() -> list[str]:
    """Return the models that were ever called, in order of their names."""
    return [str(model) for (model,) in rows(SEEN)]


def providers_of(model: str) -> list[str]:
    """Return who served a model's newest thousand calls, the most frequent first; '' where nobody said."""
    return [str(provider) for provider, _ in rows(PROVIDERS, [model])]


def unpriced() -> list[Unpriced]:
    """Return the models with unpriced calls, those without any price first, then the busiest."""
    return [Unpriced(*row) for row in rows(UNPRICED, {"most": MOST_UNPRICED})]


def priced(today: date, *, cursor: str | None) -> Page[Priced]:
    """Return one page of the models that have a price today, by name; raises CursorError."""

    def fetch(start: Cursor | None, most: int) -> list[Priced]:
        return priced_rows(today, start, most)

    return keyset_page(
        fetch, lambda row: (row.price.llm_model,), scope="costs.prices", cursor=cursor, limit=DEFAULT_LIMIT
    )


def priced_rows(today: date, start: Cursor | None, most: int) -> list[Priced]:
    backwards = start is not None and start.backwards
    place = "" if start is None else f"AND price.llm_model {'<' if backwards else '>'} %(model)s"
    values = {
        "today": today, "since": today - timedelta(days=RECENT_DAYS), "most": most,
        "model": start.key[0] if start else None,
    }  # fmt: skip
    found = rows(PRICED.format(place=place, order="DESC" if backwards else ""), values)
    prices = ModelPrice.objects.in_bulk([row[0] for row in found])
    return [Priced(prices[price_id], calls, cost) for price_id, _, calls, cost in found]


def used(model: str, asked: DateRange) -> list[Used]:
    """Return the prices that made a model's figures of a range, the newest days first."""
    values = {"model": model, "first": asked.first_on, "last": asked.last_on, "most": MOST_USED}
    found = rows(USED, values)
    prices = ModelPrice.objects.in_bulk([price_id for price_id, *_ in found if price_id is not None])
    return [Used(prices.get(price_id), *rest) for price_id, *rest in found]


def history(llm_model: str, *, most: int = 200) -> list[ModelPrice]:
    """Return a model's price rows: those that apply, the newest first, then those that were superseded."""
    order = (F("superseded_at").desc(nulls_first=True), "-effective_from", "-id")
    return list(ModelPrice.objects.filter(llm_model=llm_model).order_by(*order)[:most])


def repriced_parts(first: date, last: date, constants: Mapping[str, str]) -> list[Part]:
    """Return the parts of closed days that other prices than theirs are in effect for, by day and model."""
    return [Part(*row) for row in rows(REPRICED, {"first": first, "last": last, **constants})]


def day_states(days: Iterable[date]) -> dict[date, tuple[Decimal, datetime | None, bool]]:
    """Return what each day costs, when it was rolled up, and whether late events wait to be added."""
    wanted = list(days)
    costs = dict(CostGlobalDaily.objects.filter(date__in=wanted).values_list("date", "cost_exact"))
    states = CostDay.objects.filter(date__in=wanted).values_list("date", "rolled_up_at", "dirty_at")
    return {day: (costs.get(day, Decimal(0)), at, dirty_at is not None) for day, at, dirty_at in states}


def rows(sql: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
