"""Lists of a range by cursor, for the API: its days, and what tiers, domains and models cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Q, QuerySet, Sum

from costs.models import CostUserDaily
from costs.queries import Day, breakdown, days
from costs.ranges import DateRange
from healthpilot.web.pages import Cursor, Page, keyset_page

Kind = Literal["tier", "domain", "model"]
PART_COUNTS = (
    "jobs", "job_failures", "ai_calls", "cache_hits", "unpriced_calls", "cpu_ms", "tokens_in",
    "cached_tokens", "tokens_out",
)  # fmt: skip
USER_SUMS = ("jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out", "cost_exact")


@dataclass(frozen=True)
class Part:
    """What one tier, domain or model cost over a range."""

    key: str
    jobs: int
    job_failures: int
    ai_calls: int
    cache_hits: int
    unpriced_calls: int
    cpu_ms: int
    tokens_in: int
    cached_tokens: int
    tokens_out: int
    cost_exact: Decimal


@dataclass(frozen=True)
class UserDay:
    """What one user did and cost on one day, or over a range where it is a sum."""

    tier: str | None
    jobs: int = 0
    ai_calls: int = 0
    cpu_ms: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_exact: Decimal = Decimal(0)


def parts(asked: DateRange, kind: Kind, *, limit: int, cursor: str | None) -> Page[Part]:
    """Return one page of a range's tiers, domains or models, the dearest first; raises CursorError."""
    counts = {f"sum_{name}": Sum(name) for name in PART_COUNTS}
    everything = breakdown(asked, kind).values("key").annotate(cost=Sum("cost_exact")).annotate(**counts)

    def fetch(start: Cursor | None, most: int) -> list[Part]:
        found = everything.order_by("-cost", "key")
        if start is not None:
            cost, key = Decimal(start.key[0]), start.key[1]
            if start.backwards:
                found = everything.order_by("cost", "-key")
                found = found.filter(Q(cost__gt=cost) | Q(cost=cost, key__lt=key))
            else:
                found = found.filter(Q(cost__lt=cost) | Q(cost=cost, key__gt=key))
        return [part_of(row) for row in found.values_list("key", "cost", *counts)[:most]]

    return keyset_page(
        fetch,
        lambda part: (str(part.cost_exact), part.key),
        scope=f"costs.{kind}s:{asked.scope}",
        cursor=cursor,
        limit=limit,
    )


def part_of(row: Sequence[Any]) -> Part:
    """Return a row of the database as a part; sums of bigint come as decimals."""
    key, cost, *counts = row
    return Part(
        key=key,
        cost_exact=cost,
        **{name: int(count) for name, count in zip(PART_COUNTS, counts, strict=True)},
    )


def series(asked: DateRange, *, limit: int, cursor: str | None) -> Page[tuple[date, Day]]:
    """Return one page of the days of a range, the first day first; raises CursorError."""

    def fetch(start: Cursor | None, most: int) -> list[tuple[date, Day]]:
        dates = wanted(asked.dates, start)[:most]
        rows = days(dates)
        return [(day, rows[day]) for day in dates]

    return keyset_page(
        fetch, lambda row: [str(row[0])], scope=f"costs.days:{asked.scope}", cursor=cursor, limit=limit
    )


def wanted(dates: list[date], start: Cursor | None) -> list[date]:
    """Return the dates after the cursor, or before it from the nearest backwards."""
    if start is None:
        return dates
    place = date.fromisoformat(start.key[0])
    if start.backwards:
        return [day for day in reversed(dates) if day < place]
    return [day for day in dates if day > place]


def user_days(user_id: str, asked: DateRange) -> "QuerySet[CostUserDaily]":
    return CostUserDaily.objects.filter(user_id=user_id, date__range=(asked.first_on, asked.last_on))


def user_total(user_id: str, asked: DateRange) -> UserDay:
    """Return a user's sums over a range; the tier is that of the last day, None where there is none."""
    found = user_days(user_id, asked)
    last = found.order_by("-date").values_list("tier", flat=True).first()
    if last is None:
        return UserDay(None)
    sums = found.aggregate(**{f"sum_{name}": Sum(name) for name in USER_SUMS})
    return UserDay(last, **{name: sums[f"sum_{name}"] for name in USER_SUMS})


def user_series(
    user_id: str, asked: DateRange, *, limit: int, cursor: str | None
) -> Page[tuple[date, UserDay]]:
    """Return one page of a user's days, days without anything included; raises CursorError."""

    def fetch(start: Cursor | None, most: int) -> list[tuple[date, UserDay]]:
        dates = wanted(asked.dates, start)[:most]
        if not dates:
            return []
        span = DateRange(min(dates), max(dates), asked.today)
        rows = {
            row[0]: UserDay(*row[1:])
            for row in user_days(user_id, span).values_list("date", "tier", *USER_SUMS)
        }
        return [(day, rows.get(day, UserDay(None))) for day in dates]

    return keyset_page(
        fetch,
        lambda row: [str(row[0])],
        scope=f"costs.user:{user_id}:{asked.scope}",
        cursor=cursor,
        limit=limit,
    )
