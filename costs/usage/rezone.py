"""Counts the usage partials by another zone's days, from their hours."""

from datetime import date

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.usage.lock import WAIT_S, mark_dirty, take_row
from costs.usage.rebuild import has_raw_rows_gone
from costs.usage.statements import DAILY_KEY, JOBS, LLM_CALLS, by_day, columns_of

SUMS = (*JOBS.sums, *LLM_CALLS.sums)
DAYS = columns_of(*DAILY_KEY, *SUMS, "last_event_at")
COST_TABLES = (
    "cost_user_daily",
    "cost_global_daily",
    "cost_breakdown_daily",
    "cost_user_window",
    "cost_windows",
    "cost_days",
)

# An hour of the old zone may reach over midnight of the new one.
DAYS_OF_HOURS = """
SELECT (hour AT TIME ZONE %(tz)s)::date FROM usage_hourly
UNION SELECT ((hour + interval '59 min 59 s') AT TIME ZONE %(tz)s)::date FROM usage_hourly ORDER BY 1"""


def adopt_zone() -> list[date]:
    """Make COST_TIMEZONE the zone of the partials, empty the cost tables, and return the days to roll up.

    An hour counts to the day in which it begins. Where the zones differ by less than whole hours that is a
    little off, so days that still have raw rows are to be rolled up from those. May be repeated at any time.

    Raises:
        FoldBusy: when another process changes the partials.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        take_row(cursor, WAIT_S)
        cursor.execute(
            "UPDATE cost_settings SET timezone = %s, updated_at = clock_timestamp()", [settings.COST_TIMEZONE]
        )
        cursor.execute(
            "UPDATE usage_hourly SET day = (hour AT TIME ZONE %(tz)s)::date"
            " WHERE day <> (hour AT TIME ZONE %(tz)s)::date",
            {"tz": settings.COST_TIMEZONE},
        )
        for table in ("usage_daily", *COST_TABLES):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute(
            f"INSERT INTO usage_daily ({DAYS}) SELECT {DAYS} FROM ({by_day('usage_hourly', SUMS)})"
        )
        cursor.execute(DAYS_OF_HOURS, {"tz": settings.COST_TIMEZONE})
        days = [row[0] for row in cursor.fetchall()]
        forget_hours(cursor, [day for day in days if not has_raw_rows_gone(day)])
        mark_dirty(cursor, days)
        return days


def forget_hours(cursor: CursorWrapper, days: list[date]) -> None:
    """Drop the hours and waits of days that are rebuilt from raw rows, which makes them anew."""
    cursor.execute("DELETE FROM usage_hourly WHERE day = ANY(%s)", [days])
    cursor.execute("DELETE FROM usage_wait_daily WHERE day = ANY(%s)", [days])
