"""Which users a range has, sorted and by cursor; from the window tables where they hold it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count

from costs.models import (
    CostUserDaily,
    CostUserWindow,
    CostWindow,
)
from costs.ranges import DateRange
from healthpilot.web.pages import Cursor, Page, keyset_page


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
