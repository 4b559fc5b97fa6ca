"""What pages and API read: rollup tables only, a handful of queries whatever the range."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum

from costs.models import (
    CostBreakdownDaily,
    CostDay,
    CostGlobalDaily,
    CostUserDaily,
    CostUserWindow,
    CostWindow,
    UsageWaitDaily,
)
from costs.ranges import DateRange
from healthpilot.web.pages import Cursor, Page, keyset_page
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


@dataclass(frozen=True)
class UserRow:
    """One user's sums over a range; the tier is that of the user's last event in it."""

    user_id: str
    tier: str
    jobs: int
    ai_calls: int
    cpu_ms: int
    tokens_in: int
    tokens_out: int
    cost_exact: Decimal


def extent() -> Extent:
    """Return which days hold events; days rolled up as empty do not count."""
    dates = CostGlobalDaily.objects.filter(Q(jobs__gt=0) | Q(ai_calls__gt=0)).aggregate(
        first_on=Min("date"), last_on=Max("date")
    )
    return Extent(**dates, rolled_up_at=rolled_up_at())


def rolled_up_at() -> datetime | None:
    """Return when a rollup last wrote."""
    newest: datetime | None = CostDay.objects.aggregate(at=Max("rolled_up_at"))["at"]
    return newest


def rollup_version() -> str:
    """Return a text that changes whenever a rollup, a window or a price was written.

    It begins with the newest rollup's time in seconds, or None, up to a slash. That time alone would not
    do: a rollup that began earlier may commit later. The sum of all times
    changes with each of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return "/".join(str(part) for part in cursor.fetchone())


WRITTEN = """
SELECT days.*, windows.*, prices.*
FROM (
    SELECT extract(epoch FROM max(rolled_up_at)), sum(extract(epoch FROM rolled_up_at)) FROM cost_days
) AS days,
    (SELECT sum(extract(epoch FROM updated_at)), sum(users), max(ends_on) FROM cost_windows) AS windows,
    (SELECT sum(extract(epoch FROM updated_at)), count(*) FROM cost_model_prices) AS prices"""


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
    rows = (
        breakdown(asked, "domain")
        .values_list("key")
        .annotate(Sum("jobs"), Sum("job_failures"), Sum("cost_exact"))
        .order_by(F("jobs__sum").desc(), F("cost_exact__sum").desc(), "key")[:limit]
    )
    totals = [(key, int(jobs), int(failures), cost) for key, jobs, failures, cost in rows]
    waits = wait_histograms(asked, [key for key, *_ in totals])
    return [
        DomainRow(*total, wait_at(waits.get(total[0], {}), 50), wait_at(waits.get(total[0], {}), 95))
        for total in totals
    ]


def wait_histograms(asked: DateRange, names: Sequence[str]) -> dict[str, dict[int, int]]:
    """Return how many jobs of each domain waited within each bucket."""
    rows = (
        UsageWaitDaily.objects.filter(day__range=(asked.first_on, asked.last_on), domain__in=names)
        .values_list("domain", "bucket")
        .annotate(Sum("waits"))
    )
    histograms: dict[str, dict[int, int]] = defaultdict(dict)
    for domain, bucket, waits in rows:
        histograms[domain][bucket] = int(waits)
    return histograms


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
    rows = (
        breakdown(asked, "model")
        .filter(unpriced_calls__gt=0)
        .values_list("key")
        .annotate(Sum("ai_calls"), Sum("unpriced_calls"))
        .order_by(F("unpriced_calls__sum").desc(), "key")[:limit]
    )
    return [ModelRow(key, int(calls), int(unpriced)) for key, calls, unpriced in rows]


def window_users(asked: DateRange) -> int | None:
    """Return how many users the window table has for exactly these days; None where it does not hold them.

    It holds the presets only, and lags while no worker runs.
    """
    if asked.preset is None:
        return None
    return (
        CostWindow.objects.filter(days=asked.preset, ends_on=asked.last_on)
        .values_list("users", flat=True)
        .first()
    )


def user_count(asked: DateRange, *, prefix: str = "", tier: str | None = None, use_window: bool) -> int:
    """Return how many users of the range have an id that starts so, and that tier where one is named."""
    if tier is None and use_window:
        return CostUserWindow.objects.filter(days=asked.days, user_id__startswith=prefix).count()
    if tier is None:
        days_of_users = CostUserDaily.objects.filter(
            date__range=(asked.first_on, asked.last_on), user_id__startswith=prefix
        )
        return int(days_of_users.aggregate(users=Count("user_id", distinct=True))["users"])
    source = users_source(prefix=prefix, tier=tier, use_window=use_window)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({source}) AS users", user_values(asked, prefix, tier))
        return int(cursor.fetchone()[0])


def top_users(
    asked: DateRange,
    *,
    use_window: bool,
    limit: int,
    cursor: str | None = None,
    prefix: str = "",
    tier: str | None = None,
    sort: str = "-cost",
) -> Page[UserRow]:
    """Return one page of the users whose id starts so, sorted by one of USER_SORTS; raises CursorError.

    A minus before the name sorts downwards. tier is that of the user's last day in the range.
    """
    order = UserOrder.of(sort)

    def fetch(start: Cursor | None, most: int) -> list[UserRow]:
        source = users_source(prefix=prefix, tier=tier, use_window=use_window)
        return user_rows(source, order, start, most, user_values(asked, prefix, tier))

    return keyset_page(
        fetch,
        lambda row: (str(getattr(row, order.column)), row.user_id),
        scope=f"costs.users:{asked.scope}:{sort}:{tier}:{prefix}",
        cursor=cursor,
        limit=limit,
    )


USER_SORTS = {
    "cost": "cost_exact",
    "user": "user_id",
    "jobs": "jobs",
    "ai_calls": "ai_calls",
    "cpu": "cpu_ms",
    "tokens_in": "tokens_in",
    "tokens_out": "tokens_out",
}


@dataclass(frozen=True)
class UserOrder:
    """How the list of users is sorted: by a column either way, equal ones by their id upwards."""

    column: str
    descends: bool

    @classmethod
    def of(cls, sort: str) -> "UserOrder":
        return cls(USER_SORTS[sort.removeprefix("-")], sort.startswith("-"))

    def by(self, *, backwards: bool) -> str:
        """Return the ORDER BY, the other way round for the page before."""
        way = "DESC" if self.descends is not backwards else "ASC"
        return f"{self.column} {way}, user_id {'DESC' if backwards else 'ASC'}"

    def beyond(self, *, backwards: bool) -> str:
        """Return the condition of a page's rows; its plain bound lets an index seek to the cursor."""
        past = "<" if self.descends is not backwards else ">"
        later = "<" if backwards else ">"
        if self.column == "user_id":
            return f"WHERE user_id {past} %(user_id)s"
        return (
            f"WHERE {self.column} {past}= %(value)s"
            f" AND ({self.column} {past} %(value)s OR user_id {later} %(user_id)s)"
        )


# Left out when nothing was asked for: planning and running it takes as long as the rest of the query.
STARTING = "AND starts_with(user_id, %(prefix)s)"
WINDOW_USERS = """
    SELECT user_id, tier, jobs, ai_calls, cpu_ms, tokens_in, tokens_out, cost_exact
    FROM cost_user_window WHERE days = %(days)s {starting}
"""
DAILY_USERS = """
    SELECT user_id, (array_agg(tier ORDER BY date DESC))[1] AS tier, sum(jobs)::bigint AS jobs,
           sum(ai_calls)::bigint AS ai_calls, sum(cpu_ms)::bigint AS cpu_ms,
           sum(tokens_in)::bigint AS tokens_in, sum(tokens_out)::bigint AS tokens_out,
           sum(cost_exact) AS cost_exact
    FROM cost_user_daily WHERE date BETWEEN %(first_on)s AND %(last_on)s {starting}
    GROUP BY user_id
"""
OF_TIER = "SELECT * FROM ({source}) AS everyone WHERE tier = %(tier)s"


def users_source(*, prefix: str, tier: str | None, use_window: bool) -> str:
    """Return the statement of the users of a range, filtered."""
    source = (WINDOW_USERS if use_window else DAILY_USERS).format(starting=STARTING if prefix else "")
    return source if tier is None else OF_TIER.format(source=source)


def user_values(asked: DateRange, prefix: str, tier: str | None) -> dict[str, Any]:
    return {
        "days": asked.preset, "first_on": asked.first_on, "last_on": asked.last_on,
        "prefix": prefix, "tier": tier,
    }  # fmt: skip


def user_rows(
    source: str, order: UserOrder, start: Cursor | None, most: int, values: dict[str, Any]
) -> list[UserRow]:
    """Return users after the cursor, or before it from the nearest upwards."""
    backwards = start is not None and start.backwards
    value, user_id = start.key if start else (None, None)
    place = "" if start is None else order.beyond(backwards=backwards)
    key = Decimal(value) if value is not None and order.column != "user_id" else value
    statement = (
        f"SELECT * FROM ({source}) AS users {place} ORDER BY {order.by(backwards=backwards)} LIMIT %(most)s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values | {"value": key, "user_id": user_id, "most": most})
        return [UserRow(*row) for row in cursor.fetchall()]
