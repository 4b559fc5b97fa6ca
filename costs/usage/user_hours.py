"""Usage by hour and user, made once a day is over: today nobody asks for it, and it is most of the rows."""

import logging
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.days import cost_zone, day_bounds, has_exact_bounds, is_regular, local_today
from costs.models import CostDay
from costs.usage import statements
from costs.usage.lock import WAIT_S, busy_on_lock_timeout, hold_partials
from costs.usage.rebuild import has_raw_rows_gone, make_temporary, more_memory, replace, says_yes

logger = logging.getLogger(__name__)

TABLE = "usage_user_hourly"
# Above this share of wrong keys all of the day's hours are made anew: looking up each row's key costs more.
FEW = 0.1
HOUR = timedelta(hours=1)


def complete_user_hours(now: datetime, *, wait_s: float = WAIT_S) -> int:
    """Make up the usage by hour and user of the days that are over and lack some; returns how many.

    Raises:
        FoldBusy, ZoneChanged: as fold_pending; wait_s as there.
    """
    due = CostDay.objects.filter(user_hours_due_at__isnull=False, date__lt=local_today(now))
    days = list(due.order_by("date").values_list("date", flat=True))
    for day in days:
        if is_regular(day, cost_zone()):
            fill_hours(day, wait_s=wait_s)
        complete_day(day, wait_s=wait_s)
    return len(days)


def fill_hours(day: date, *, wait_s: float) -> None:
    """Make the hours of a regular day that have no row yet, each in a transaction of its own.

    A busy day takes a minute: the fold of the day that goes on gets its turn in between. What is folded
    meanwhile is mended by complete_day, which therefore has little to do.
    """
    lower, _ = day_bounds(day, cost_zone())
    for hour in range(24):
        with busy_on_lock_timeout(), transaction.atomic(), connection.cursor() as cursor:
            hold_partials(cursor, wait_s=wait_s)
            if not has_raw_rows_gone(day):
                fill_hour(cursor, day, lower + hour * HOUR)


def fill_hour(cursor: CursorWrapper, day: date, lower: datetime) -> None:
    """Make one hour from its raw rows, unless it has rows."""
    values = {"day": day, "lower": lower, "upper": lower + HOUR}
    made = f"SELECT EXISTS (SELECT FROM {TABLE} WHERE day = %(day)s AND hour = %(lower)s)"
    if says_yes(cursor, made, values):
        return
    with more_memory(cursor):
        for kind in statements.KINDS.values():
            columns = statements.columns_of(*statements.USER_HOURLY_KEY, *kind.sums, "last_event_at")
            where = statements.raw_rows(kind, exact=True)
            fresh = statements.raw_hours(kind, where=where, regular=True, by=statements.KEYS)
            insert = f"INSERT INTO {TABLE} ({columns}) SELECT {columns} FROM ({fresh}) AS fresh"
            cursor.execute(insert, values)


def complete_day(day: date, *, wait_s: float = WAIT_S) -> None:
    """Make one day's usage by hour and user add up to its usage by day, from its raw rows.

    Rows that wait to be folded are left to the fold, which from then on adds those of this day here as well.
    """
    with busy_on_lock_timeout(), transaction.atomic(), connection.cursor() as cursor:
        tz = hold_partials(cursor, wait_s=wait_s)
        if has_raw_rows_gone(day):
            logger.warning("The raw rows of %s are gone before its usage by hour and user was made.", day)
        else:
            lower, upper = day_bounds(day, tz)
            values = {"day": day, "tz": tz.key, "lower": lower, "upper": upper}
            with more_memory(cursor):
                for kind in statements.KINDS.values():
                    where = statements.raw_rows(kind, exact=has_exact_bounds(day, tz))
                    complete_kind(cursor, kind, values, where=where, regular=is_regular(day, tz))
        CostDay.objects.filter(date=day).update(user_hours_due_at=None)


def complete_kind(
    cursor: CursorWrapper, kind: statements.UsageKind, values: dict[str, Any], *, where: str, regular: bool
) -> None:
    """Make one kind's rows of a day anew, or only those of few users where the others add up."""
    days, wrong, hours = (f"due_{kind.name}_{grain}" for grain in ("days", "wrong", "hours"))
    kept = f"SELECT * FROM usage_daily AS kept WHERE kept.day = %(day)s AND {kind.mine}"
    keys = make_temporary(cursor, days, kept, values)
    names = ("user_id", "model")
    if not says_yes(cursor, statements.unequal_totals(kind, TABLE, days, names=names), values):
        return
    only = kind.mine
    if make_temporary(cursor, wrong, statements.wrong_keys(kind, days), values) < keys * FEW:
        cursor.execute(f"ANALYZE {wrong}")
        where, only = f"{where} AND {statements.is_among(wrong, kind.model)}", statements.is_among(wrong)
    fresh = statements.raw_hours(kind, where=where, regular=regular, by=statements.KEYS)
    make_temporary(cursor, hours, fresh, values)
    sums = (*kind.sums, "last_event_at")
    replace(cursor, TABLE, statements.USER_HOURLY_KEY, sums, hours, values, only=only)
