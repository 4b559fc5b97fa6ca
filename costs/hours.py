"""How a day's cost usually falls on its hours: noted once for each closed day, so that no page sums hours."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from costs.days import cost_zone, local_today
from costs.forecast import HISTORY_DAYS
from costs.models import CostDay
from costs.priced import PRICES, USAGE_USD, parameters
from costs.ranges import ONE_DAY

HOURS: Final = 24
WHOLE: Final = 1_000_000
# From so many days of its weekday on a day is compared with those alone.
ENOUGH: Final = 2
BY_HOUR: Final = f"""
SELECT extract(hour FROM usage.hour AT TIME ZONE %(timezone)s)::int, sum({USAGE_USD})
FROM usage_hourly AS usage {PRICES.format(day="usage.day", model="usage.model")}
WHERE usage.day = %(first_on)s GROUP BY 1"""


def note_hours(now: datetime) -> int:
    """Note how the cost of each closed day of four weeks fell on its hours; returns how many were new.

    A day without a cost is noted too, as empty, so that it is not looked at again. Raises django.db.Error.
    """
    since = local_today(now) - HISTORY_DAYS * ONE_DAY
    waiting = CostDay.objects.filter(date__gte=since, closed_at__isnull=False, hours_json__isnull=True)
    days = list(waiting.order_by("-date").values_list("date", flat=True))
    for day in days:
        CostDay.objects.filter(date=day).update(hours_json=running_shares(costs_by_hour(day)))
    return len(days)


def costs_by_hour(day: date) -> dict[int, Decimal]:
    """Return what each local hour of a day cost, in USD; an hour that comes twice is one."""
    with connection.cursor() as cursor:
        cursor.execute(BY_HOUR, parameters(day, day))
        return dict(cursor.fetchall())


def running_shares(costs: dict[int, Decimal]) -> list[int]:
    """Return the part of a day's cost spent by the end of each hour, in millionths; empty without one."""
    total = sum(costs.values(), Decimal(0))
    if total <= 0:
        return []
    spent, shares = Decimal(0), []
    for hour in range(HOURS):
        spent += costs.get(hour, Decimal(0))
        shares.append(int(spent * WHOLE / total))
    return shares


def share_by_now(today: date) -> Decimal | None:
    """Return the part (0 to 1) of a day's cost that is usually spent by the time of today's last rollup.

    None where no day was noted; zero where today was not rolled up yet.
    """
    days = CostDay.objects.filter(date__gte=today - HISTORY_DAYS * ONE_DAY, date__lte=today)
    moment: datetime | None = None
    noted: dict[date, list[int]] = {}
    for day, shares, rolled_up_at in days.values_list("date", "hours_json", "rolled_up_at"):
        if day == today:
            moment = rolled_up_at
        elif shares:
            noted[day] = shares
    alike = [shares for day, shares in noted.items() if day.weekday() == today.weekday()]
    usual = alike if len(alike) >= ENOUGH else list(noted.values())
    if not usual:
        return None
    local = moment.astimezone(cost_zone()) if moment else None
    if local is None or local.date() < today:
        return Decimal(0)
    return mean_share(usual, local) if local.date() == today else Decimal(1)


def mean_share(days: Sequence[Sequence[int]], local: datetime) -> Decimal:
    """Return the mean of days' running shares at a time of day, evenly spread within the hour."""
    return mean(share_at(shares, local) for shares in days)


def share_at(shares: Sequence[int], local: datetime) -> Decimal:
    before = shares[local.hour - 1] if local.hour else 0
    within = Decimal(local.minute * 60 + local.second) / 3600
    return (before + (shares[local.hour] - before) * within) / WHOLE


def mean(values: Iterable[Decimal]) -> Decimal:
    found = list(values)
    return sum(found, Decimal(0)) / len(found)
