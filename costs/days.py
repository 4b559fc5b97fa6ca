"""Local days of the cost time zone: their bounds in UTC, when their close is due, and which are due now."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

CLOSE_AT = time(2, 30)
ONE_DAY = timedelta(days=1)


def cost_zone() -> ZoneInfo:
    """Return the zone whose calendar days are billed."""
    return ZoneInfo(settings.COST_TIMEZONE)


def local_today(now: datetime) -> date:
    """Return the local day that holds an instant."""
    return now.astimezone(cost_zone()).date()


def day_bounds(day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Return UTC instants between which every moment of a local day lies, the upper one exclusive.

    Midnight may come twice or not at all; then the span reaches to the outer instants, and only the predicate
    (created_at AT TIME ZONE tz)::date = day tells the day's rows from others. See has_exact_bounds.
    """
    return min(midnights(day, tz)), max(midnights(day + ONE_DAY, tz))


def has_exact_bounds(day: date, tz: ZoneInfo) -> bool:
    """Say whether day_bounds holds the day and nothing else: both midnights exist exactly once."""
    return all(len(set(midnights(edge, tz))) == 1 for edge in (day, day + ONE_DAY))


def is_regular(day: date, tz: ZoneInfo) -> bool:
    """Say whether the clock stands all through a local day, so that its hours follow each other evenly."""
    lower, upper = day_bounds(day, tz)
    return has_exact_bounds(day, tz) and upper - lower == ONE_DAY


def midnights(day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Return a local day's first midnight in UTC, under both readings of an ambiguous or missing one."""
    first = datetime.combine(day, time.min, tz)
    return first.astimezone(UTC), first.replace(fold=1).astimezone(UTC)


def close_due_at(day: date, tz: ZoneInfo) -> datetime:
    """Return the UTC instant at which a local day's close is due: 02:30 on the day after.

    Where 02:30 does not exist it is the first instant after the gap, where it comes twice the first.
    """
    wall = datetime.combine(day + ONE_DAY, CLOSE_AT, tz)
    due_at = wall.astimezone(UTC)
    if due_at.astimezone(tz).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return due_at
    return first_instant_after_gap(wall.replace(fold=1).astimezone(UTC), due_at, tz)


def first_instant_after_gap(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """Return the instant between two UTC times at which the zone's clock jumps, to the second."""
    offset = before.astimezone(tz).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (middle, after) if middle.astimezone(tz).utcoffset() == offset else (before, middle)
    return after


def last_due_day(now: datetime, tz: ZoneInfo) -> date:
    """Return the newest local day whose close is due at an instant."""
    day = now.astimezone(tz).date()
    while close_due_at(day, tz) > now:
        day -= ONE_DAY
    return day


def due_days(now: datetime) -> list[date]:
    """Return the local days whose close is due and that PostgreSQL does not have as closed, oldest first.

    Days without any event count from the day on which the first usage was kept: nights missed while nothing
    ran are caught up, and a fresh installation does not invent years.
    """
    tz = cost_zone()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date FROM cost_days WHERE closed_at IS NULL AND date <= %(last)s
            UNION
            SELECT kept.day::date
            FROM cost_settings,
                generate_series((created_at AT TIME ZONE %(tz)s)::date, %(last)s::date, interval '1 day')
                AS kept (day)
            WHERE NOT EXISTS (SELECT FROM cost_days WHERE date = kept.day::date AND closed_at IS NOT NULL)
            ORDER BY 1
            """,
            {"last": last_due_day(now, tz), "tz": tz.key},
        )
        return [row[0] for row in cursor.fetchall()]


def dirty_days(now: datetime, *, refresh_s: int = 0) -> list[date]:
    """Return the local days up to today whose usage changed since their rollup, the longest waiting first.

    Today comes only when its last rollup is refresh_s seconds old.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date FROM cost_days WHERE dirty_at IS NOT NULL AND date <= %(today)s
            AND (date < %(today)s OR rolled_up_at IS NULL OR rolled_up_at <= %(refreshed_by)s)
            ORDER BY dirty_at, date
            """,
            {"today": local_today(now), "refreshed_by": now - timedelta(seconds=refresh_s)},
        )
        return [row[0] for row in cursor.fetchall()]
