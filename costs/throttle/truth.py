"""What scopes have used, as PostgreSQL has it: exact sums to begin with, rolled-up ones to compare."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import F, QuerySet, Sum, Value

from costs.models import CostBreakdownDaily, CostGlobalDaily, CostUserDaily
from costs.rollup.rates import Weights, rates_on
from costs.rollup.statements import PRICED, WHOLE_TYPES
from costs.throttle.amounts import Amounts, nano
from costs.throttle.scopes import DOMAIN, GLOBAL, TIER, Scope
from costs.usage import UsageError, fold_pending

logger = logging.getLogger(__name__)

FOLD_WAIT_S: Final = 1.0
SUMS = ("cpu_ms", "jobs", "tokens_in", "tokens_out", "cost_exact")
CONDITIONS = {GLOBAL: "true", TIER: "tier = %(key)s", DOMAIN: "domain = %(key)s", "user": "user_id = %(key)s"}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a scope used on a day, and spent in the month before that day (nano-dollars)."""

    today: Amounts
    month_nano: int


def fold() -> None:
    """Add rows just stored to the partials, as far as nobody else is at it. Raises django.db.Error."""
    try:
        fold_pending(wait_s=FOLD_WAIT_S)
    except UsageError as error:
        logger.info("Counting from usage that is not folded to the last row: %s", error)


def exact_usage(scope: Scope, day: date) -> Usage:
    """Return a scope's usage from the day's partials × prices, without waiting for a rollup."""
    weights = Weights.of(rates_on(day))
    query = f"""
        SELECT coalesce(sum(cpu_ms), 0), coalesce(sum(jobs), 0), coalesce(sum(input_tokens), 0),
               coalesce(sum(output_tokens), 0), coalesce(sum(units), 0)::numeric
        FROM ({PRICED.format(**WHOLE_TYPES[-1])}) AS priced WHERE {CONDITIONS[scope.kind]}"""
    with connection.cursor() as cursor:
        cursor.execute(query, {"day": day, "key": scope.key, **weights.parameters()})
        *counts, units = cursor.fetchone()
    today = Amounts.of([*(int(count) for count in counts), nano(weights.usd(units))])
    return Usage(today, month_before(scope, day))


def rolled_usage(scopes: Sequence[Scope], day: date) -> dict[Scope, Usage]:
    """Return the usage of scopes as the day's last rollup left it: quick, a minute or two behind.

    Two queries a kind of scope, however many scopes.
    """
    found: dict[Scope, Usage] = {}
    for kind in dict.fromkeys(scope.kind for scope in scopes):
        keys = [scope.key for scope in scopes if scope.kind == kind]
        today, before = rolled_today(kind, keys, day), months_before(kind, keys, day)
        for key in keys:
            found[Scope(kind, key)] = Usage(today.get(key, Amounts()), before.get(key, 0))
    return found


def rolled_today(kind: str, keys: Sequence[str], day: date) -> dict[str, Amounts]:
    """Return the sums of a day from the rolled-up tables, by the key of the scope."""
    rows = rows_among(kind, keys).filter(date=day).values_list("scope_key", *SUMS)
    return {key: Amounts.of([*counts, nano(cost)]) for key, *counts, cost in rows}


def months_before(kind: str, keys: Sequence[str], day: date) -> dict[str, int]:
    """Return what was spent in the month of a day, that day left out, in nano-dollars by the scope's key."""
    rows = rows_among(kind, keys).filter(date__gte=day.replace(day=1), date__lt=day)
    spent = rows.order_by().values_list("scope_key").annotate(total=Sum("cost_exact"))
    return {key: nano(total or Decimal(0)) for key, total in spent}


def month_before(scope: Scope, day: date) -> int:
    """Return what one scope spent in the month of a day, that day left out, in nano-dollars."""
    return months_before(scope.kind, [scope.key], day).get(scope.key, 0)


def rows_of(scope: Scope) -> QuerySet[Any]:
    """Return the daily rows that hold a scope's sums."""
    return rows_among(scope.kind, [scope.key])


def rows_among(kind: str, keys: Sequence[str]) -> QuerySet[Any]:
    """Return the daily rows that hold the sums of scopes of one kind, each with its scope_key."""
    if kind == GLOBAL:
        return CostGlobalDaily.objects.annotate(scope_key=Value(""))
    if kind in {TIER, DOMAIN}:
        return CostBreakdownDaily.objects.filter(kind=kind, key__in=keys).annotate(scope_key=F("key"))
    return CostUserDaily.objects.filter(user_id__in=keys).annotate(scope_key=F("user_id"))
