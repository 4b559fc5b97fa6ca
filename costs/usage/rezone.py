"""Counts the usage partials by another zone's days, from their hours."""

from datetime import date

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.usage.lock import WAIT_S, busy_on_lock_timeout, mark_dirty, take_row
from costs.usage.rebuild import has_raw_rows_gone, rebuild_day_from_raw
from costs.usage.statements import DAILY_KEY, JOBS, LLM_CALLS, add_into, grouped

SUMS = (*JOBS.sums, *LLM_CALLS.sums)
HOURLY = ("usage_hourly", "usage_user_hourly")
# A rollup locks its row of cost_days first and writes the others after it: so does this.
COST_TABLES = (
    "cost_days",
    "cost_user_daily",
    "cost_global_daily",
    "cost_breakdown_daily",
    "cost_user_window",
    "cost_windows",
)

# An hour of the old zone may reach over midnight of the new one.
DAYS_OF_HOURS = """
SELECT (hour AT TIME ZONE %(tz)s)::date FROM usage_hourly
UNION SELECT ((hour + interval '59 min 59 s') AT TIME ZONE %(tz)s)::date FROM usage_hourly ORDER BY 1"""


def adopt_zone() -> list[date]:
    """Make COST_TIMEZONE the zone of the partials, empty the cost tables, and return the days to roll up.

    Days that still have raw rows are counted from those. Of the others an hour counts to the day in which it
    begins, which is a little off where the zones differ by less than whole hours; a day that has no hours by
    user stays as it is. One transaction: a run that is killed changes nothing, and one that succeeded may be
    repeated.

    Raises:
        FoldBusy: when another process changes the partials.
    """
    with busy_on_lock_timeout(), transaction.atomic(), connection.cursor() as cursor:
        take_row(cursor, WAIT_S)
        cursor.execute(
            "UPDATE cost_settings SET timezone = %s, updated_at = clock_timestamp()", [settings.COST_TIMEZONE]
        )
        lacking = days_without_users(cursor)
        cursor.execute("DELETE FROM usage_user_hourly WHERE day = ANY(%s)", [lacking])
        for table in HOURLY:
            cursor.execute(
                f"UPDATE {table} SET day = (hour AT TIME ZONE %(tz)s)::date"
                " WHERE day <> (hour AT TIME ZONE %(tz)s)::date",
                {"tz": settings.COST_TIMEZONE},
            )
        for table in COST_TABLES:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("DELETE FROM usage_daily WHERE day <> ALL(%s)", [lacking])
        by_day = grouped(DAILY_KEY, "usage_user_hourly", SUMS)
        cursor.execute(add_into("usage_daily", DAILY_KEY, SUMS, by_day))
        cursor.execute(DAYS_OF_HOURS, {"tz": settings.COST_TIMEZONE})
        days = sorted({*lacking, *(row[0] for row in cursor.fetchall())})
        rebuildable = [day for day in days if not has_raw_rows_gone(day)]
        # Hours of the old zone may begin at other minutes than the new one's, so they are made anew.
        for table in (*HOURLY, "usage_daily", "usage_wait_daily"):
            cursor.execute(f"DELETE FROM {table} WHERE day = ANY(%s)", [rebuildable])
        for day in rebuildable:
            rebuild_day_from_raw(day)
        mark_dirty(cursor, days)
        return days


def days_without_users(cursor: CursorWrapper) -> list[date]:
    """Return the days whose usage by hour and user is not made up: today, or whose raw rows went before."""
    cursor.execute(
        """
        SELECT day FROM (SELECT day, sum(jobs + ai_calls) AS events FROM usage_daily GROUP BY day) AS days
        LEFT JOIN (
            SELECT day, sum(jobs + ai_calls) AS events FROM usage_user_hourly GROUP BY day
        ) AS hours USING (day) WHERE days.events IS DISTINCT FROM hours.events"""
    )
    return [day for (day,) in cursor.fetchall()]
