"""What pages and API read: rollup tables only, a handful of queries whatever the range."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Max, QuerySet

from costs.models import CostBreakdownDaily, CostDay, CostGlobalDaily
from costs.ranges import DateRange
from telemetry.models import Shipment

ZERO = Decimal(0)
TOP_DOMAINS = 8
TOP_MODELS = 20


@dataclass(frozen=True)
class Day:
    """One day's sums; all zero where nothing happened."""

    cost_exact: Decimal = ZERO
    users: int = 0
    jobs: int = 0
    job_failures: int = 0
    ai_calls: int = 0
    cache_hits: int = 0
    cpu_ms: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    unpriced_calls: int = 0
    cached_tokens: int = 0
    llm_failures: int = 0
    job_retries: int = 0
    saved_skipped_exact: Decimal = ZERO
    saved_cached_exact: Decimal = ZERO
    failed_exact: Decimal = ZERO
    retried_exact: Decimal = ZERO


DAY_FIELDS = tuple(Day.__dataclass_fields__)


@dataclass(frozen=True)
class Extent:
    """Which days have data at all, and when a rollup last wrote."""

    first_on: date | None
    last_on: date | None
    rolled_up_at: datetime | None


@dataclass(frozen=True)
class DomainRow:
    """One domain's sums over a range; the waits are those that half and 95 % of the jobs stayed under."""

    domain: str
    jobs: int
    job_failures: int
    cost_exact: Decimal
    wait_p50_ms: int | None = None
    wait_p95_ms: int | None = None


@dataclass(frozen=True)
class ModelRow:
    model: str
    ai_calls: int
    unpriced_calls: int


def extent() -> Extent:
    """Return which days hold events; days rolled up as empty do not count."""
    with connection.cursor() as cursor:
        cursor.execute(EXTENT)
        return Extent(*cursor.fetchone())


EXTENT = """
SELECT min(date), max(date), (SELECT max(rolled_up_at) FROM cost_days)
FROM cost_global_daily WHERE jobs > 0 OR ai_calls > 0"""


def rolled_up_at() -> datetime | None:
    """Return when a rollup last wrote."""
    newest: datetime | None = CostDay.objects.aggregate(at=Max("rolled_up_at"))["at"]
    return newest


def rollup_version() -> str:
    """Return a text that changes whenever a rollup, a window, a price or a budget was written.

    It begins with the newest rollup's time in seconds, or None, up to a slash. That time alone would not
    do: a rollup that began earlier may commit later. The sum of all times
    changes with each of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return "/".join(str(part) for part in cursor.fetchone())


WRITTEN = """
SELECT days.*, windows.*, prices.*, budgets.*
FROM (
    SELECT extract(epoch FROM max(rolled_up_at)), sum(extract(epoch FROM rolled_up_at)) FROM cost_days
) AS days,
    (SELECT sum(extract(epoch FROM updated_at)), sum(users), max(ends_on) FROM cost_windows) AS windows,
    (SELECT sum(extract(epoch FROM updated_at)), count(*) FROM cost_model_prices) AS prices,
    (SELECT sum(extract(epoch FROM updated_at)), count(*) FROM cost_budgets) AS budgets"""


def events_wait_for_the_fold() -> bool:
    """Return whether events have been stored that no rollup has seen yet."""
    return Shipment.objects.exists()


def days(dates: Iterable[date]) -> dict[date, Day]:
    """Return a row for each of the dates, in their order."""
    wanted = list(dates)
    if not wanted:
        return {}
    found = CostGlobalDaily.objects.filter(date__range=(min(wanted), max(wanted))).values_list(
        "date", *DAY_FIELDS
    )
    rows = {row[0]: Day(*row[1:]) for row in found}
    nothing = Day()
    return {day: rows.get(day, nothing) for day in wanted}


def tier_costs(asked: DateRange) -> dict[str, dict[date, Decimal]]:
    """Return each tier's exact cost per day, in USD."""
    costs: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for tier, day, cost in breakdown(asked, "tier").values_list("key", "date", "cost_exact"):
        costs[tier][day] = cost
    return dict(costs)


def breakdown(asked: DateRange, kind: str) -> "QuerySet[CostBreakdownDaily]":
    return CostBreakdownDaily.objects.filter(kind=kind, date__range=(asked.first_on, asked.last_on))


def domains(asked: DateRange, *, limit: int = TOP_DOMAINS) -> list[DomainRow]:
    """Return the domains with the most jobs; costs without jobs, such as LLM calls alone, come last."""
    totals = read(DOMAINS, asked, most=limit)
    waits = wait_histograms(asked, [key for key, *_ in totals])
    return [
        DomainRow(key, jobs, failures, cost, *(wait_at(waits.get(key, {}), percent) for percent in (50, 95)))
        for key, jobs, failures, cost in totals
    ]


DOMAINS = """
SELECT key, sum(jobs)::bigint, sum(job_failures)::bigint, sum(cost_exact) FROM cost_breakdown_daily
WHERE kind = 'domain' AND date BETWEEN %(first_on)s AND %(last_on)s
GROUP BY key ORDER BY sum(jobs) DESC, sum(cost_exact) DESC, key LIMIT %(most)s"""


def wait_histograms(asked: DateRange, names: Sequence[str]) -> dict[str, dict[int, int]]:
    """Return how many jobs of each domain waited within each bucket."""
    histograms: dict[str, dict[int, int]] = defaultdict(dict)
    for domain, bucket, waits in read(WAITS, asked, names=list(names)):
        histograms[domain][bucket] = waits
    return histograms


WAITS = """
SELECT domain, bucket, sum(waits)::bigint FROM usage_wait_daily
WHERE day BETWEEN %(first_on)s AND %(last_on)s AND domain = ANY(%(names)s) GROUP BY domain, bucket"""


def read(statement: str, asked: DateRange, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement over a range.

    What a page reads each time is written as SQL: for sums of groups the ORM takes longer than PostgreSQL.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"first_on": asked.first_on, "last_on": asked.last_on, **values})
        return list(cursor.fetchall())


def wait_at(histogram: Mapping[int, int], percent: int) -> int | None:
    """Return the wait (ms) that so many percent of jobs stayed under: the middle of a bucket, within 9 %.

    Bucket b holds waits above 2^((b-1)/4) and up to 2^(b/4) ms.
    """
    wanted = -(-sum(histogram.values()) * percent // 100)
    seen = 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= wanted:
            return two_digits(2 ** ((bucket - 0.5) / 4)) if bucket else 1
    return None


def two_digits(value: float) -> int:
    """Return a positive number rounded to the two digits that a histogram's middle can vouch for."""
    return int(float(f"{value:.1e}"))


def unpriced_models(asked: DateRange, *, limit: int = TOP_MODELS) -> list[ModelRow]:
    """Return the models whose calls no price row covered, the busiest first."""
    return [ModelRow(*row) for row in read(UNPRICED, asked, most=limit)]


UNPRICED = """
SELECT key, sum(ai_calls)::bigint, sum(unpriced_calls)::bigint FROM cost_breakdown_daily
WHERE kind = 'model' AND unpriced_calls > 0 AND date BETWEEN %(first_on)s AND %(last_on)s
GROUP BY key ORDER BY sum(unpriced_calls) DESC, key LIMIT %(most)s"""


CHANGED_PRICES = """
SELECT llm_model, effective_from, effective_to FROM cost_model_prices AS price
WHERE superseded_at IS NULL
    AND (effective_from BETWEEN %(first_on)s AND %(last_on)s
        OR effective_to BETWEEN %(first_on)s AND %(last_on)s)
    AND EXISTS (SELECT FROM cost_breakdown_daily WHERE kind = 'model' AND key = price.llm_model
        AND date BETWEEN %(first_on)s AND %(last_on)s AND ai_calls > 0)"""
