"""Reads what is replayed from the hourly partials; money exact, by each day's own prices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from django.conf import settings
from django.db import connection

from costs import priced
from costs.days import cost_zone, day_bounds
from costs.pricing import EXACT
from costs.simulation.replay import Demand
from costs.throttle.amounts import NANO_PLACES
from costs.throttle.scopes import USER, Scope
from costs.throttle.truth import CONDITIONS

USERS_A_BATCH: Final = 500
# A tier that TIERS does not name is shed with the first, so all such are one group: '' is its name.
GROUP: Final = "CASE WHEN usage.tier = ANY(%(tiers)s::text[]) THEN usage.tier ELSE '' END"
SUMS: Final = f"""
    sum(jobs)::bigint, sum(ai_calls)::bigint, sum(cpu_ms)::bigint, sum(input_tokens)::bigint,
    sum(output_tokens)::bigint, sum({priced.USAGE_USD_BY_DAY})"""
PRICED: Final = priced.RATES.format(day="usage.day") + priced.PRICES.format(
    model="usage.model", day="usage.day"
)

HOURS: Final = f"""
SELECT usage.day, hour, {GROUP}, {SUMS} FROM {{table}} AS usage {PRICED}
WHERE usage.day BETWEEN %(first_on)s AND %(last_on)s AND {{condition}}
GROUP BY 1, 2, 3 ORDER BY 2, 1, 3"""

USERS: Final = """
SELECT user_id FROM cost_user_daily AS cost
WHERE user_id > %(after)s AND date BETWEEN %(first_on)s AND %(last_on)s
    AND NOT EXISTS (SELECT FROM cost_budgets WHERE apply_scope = 'user' AND scope_key = cost.user_id)
GROUP BY user_id ORDER BY user_id LIMIT %(most)s"""
# The partials' key begins with the hour: one short probe an hour finds a batch of users.
USER_HOURS: Final = f"""
SELECT usage.user_id, usage.day, usage.hour, {SUMS}
FROM unnest(%(hour_days)s::date[], %(hours)s::timestamptz[]) AS span (day, hour)
CROSS JOIN LATERAL (
    SELECT * FROM usage_user_hourly AS kept WHERE kept.day = span.day AND kept.hour = span.hour
        AND kept.user_id BETWEEN %(lowest)s AND %(highest)s AND kept.user_id = ANY(%(users)s::text[])
) AS usage {PRICED}
GROUP BY 1, 2, 3 ORDER BY 1, 3, 2"""


@dataclass(frozen=True)
class Span:
    """The local days that are replayed; places is how many decimals of a dollar a whole unit of cost has."""

    first_on: date
    last_on: date
    places: int
    parameters: dict[str, Any]

    @classmethod
    def of(cls, first_on: date, last_on: date) -> "Span":
        """Make it with the prices of its days."""
        found = priced.stretches(first_on, last_on)
        places = max(NANO_PLACES, *(one.rates.places for one in found))
        parameters = priced.parameters(first_on, last_on) | priced.parameters_by_day(found)
        return cls(first_on, last_on, places, parameters | {"tiers": list(settings.TIERS)})

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    def units(self, usd: Decimal) -> int:
        """Return US dollars in whole units; exact, since places holds every price."""
        return int(EXACT.scaleb(usd, self.places))

    def usd(self, units: int) -> Decimal:
        """Return whole units in US dollars."""
        return EXACT.scaleb(Decimal(units), -self.places)

    def demand(self, day: date, hour: datetime, group: str, sums: Sequence[Any]) -> Demand:
        """Return one row of sums as demand."""
        jobs, calls, cpu_ms, tokens_in, tokens_out, usd = sums
        return Demand(day, hour, group, jobs, calls, (cpu_ms, jobs, tokens_in, tokens_out, self.units(usd)))


def shared_hours(scope: Scope, span: Span) -> list[Demand]:
    """Return what each tier took in a scope, hour by hour; at most 25 hours a day and one group a tier."""
    table = "usage_user_hourly" if scope.kind == USER else "usage_hourly"
    sql = HOURS.format(table=table, condition=CONDITIONS[scope.kind])
    return [span.demand(day, hour, group, sums) for day, hour, group, *sums in rows(sql, scope, span)]


def users_after(after: str, span: Span, *, most: int = USERS_A_BATCH) -> list[str]:
    """Return the next users, by id, who have no budget of their own and used something."""
    values: dict[str, Any] = {
        "after": after,
        "first_on": span.first_on,
        "last_on": span.last_on,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(USERS, values)
        return [user for (user,) in cursor.fetchall()]


def hours_of_users(users: Sequence[str], span: Span) -> Iterator[tuple[str, list[Demand]]]:
    """Yield some users, each with what they took hour by hour."""
    hours = list(hours_between(span))
    values = {
        "users": list(users), "lowest": users[0], "highest": users[-1],
        "hour_days": [day for day, _ in hours], "hours": [hour for _, hour in hours],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(USER_HOURS, span.parameters | values)
        found = cursor.fetchall()
    for user, lines in groupby(found, key=lambda row: row[0]):
        yield str(user), [span.demand(day, hour, "", sums) for _, day, hour, *sums in lines]


def hours_between(span: Span) -> Iterator[tuple[date, datetime]]:
    """Yield every hour that a day's partials may begin at; some zones are half an hour off."""
    for offset in range(span.days):
        day = span.first_on + timedelta(days=offset)
        at, end = day_bounds(day, cost_zone())
        while at < end:
            yield day, at
            at += timedelta(minutes=15)


def rows(sql: str, scope: Scope, span: Span, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**span.parameters, "key": scope.key, **values})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
