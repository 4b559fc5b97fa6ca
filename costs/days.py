"""Local days of the cost time zone: their bounds in UTC, when their close is due, and which are due now."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from costs.models import CostDay, CostSettings

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
    last = last_due_day(now, tz)
    open_days = CostDay.objects.filter(closed_at=None, date__lte=last).values_list("date", flat=True)
    return sorted({*open_days, *days_never_closed(last, tz)})


def days_never_closed(last: date, tz: ZoneInfo) -> set[date]:
    """Return the days from that of the first usage to the last one given which are not closed."""
    kept = CostSettings.objects.first()
    if kept is None:
        return set()
    first = kept.created_at.astimezone(tz).date()
    closed = CostDay.objects.filter(date__range=(first, last)).exclude(closed_at=None)
    days = {first + timedelta(days=offset) for offset in range((last - first).days + 1)}
    return days - set(closed.values_list("date", flat=True))


def dirty_days(now: datetime, *, refresh_s: int = 0) -> list[date]:
    """Return the local days up to today whose usage changed since their rollup, the longest waiting first.

    Today comes only when its last rollup is refresh_s seconds old.
    """
    today = local_today(now)
    is_ripe = (
        Q(date__lt=today) | Q(rolled_up_at=None) | Q(rolled_up_at__lte=now - timedelta(seconds=refresh_s))
    )
    dirty = CostDay.objects.filter(is_ripe, dirty_at__isnull=False, date__lte=today)
    return list(dirty.order_by("dirty_at", "date").values_list("date", flat=True))
