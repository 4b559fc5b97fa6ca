"""What each user cost over the preset ranges, kept current by exact differences: the top list's grain."""

from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.models import RANGE_DAYS

SUMS = ("jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out", "cost_exact")
NEVER = "'-infinity'::date"

# Adds differences, and returns how many users came new into each range.
ADD = f"""
WITH added AS (
    INSERT INTO cost_user_window AS kept (days, user_id, tier, last_on, user_days, {", ".join(SUMS)})
    {{difference}}
    ON CONFLICT (days, user_id) DO UPDATE SET
        tier = CASE WHEN excluded.last_on >= kept.last_on THEN excluded.tier ELSE kept.tier END,
        last_on = greatest(kept.last_on, excluded.last_on), user_days = kept.user_days + excluded.user_days,
        {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in SUMS)},
        updated_at = clock_timestamp()
    RETURNING new.days AS days, old.days IS NULL AS is_new
)
UPDATE cost_windows SET users = cost_windows.users + news.users, updated_at = clock_timestamp()
FROM (SELECT days, count(*) AS users FROM added WHERE is_new GROUP BY days) AS news
WHERE cost_windows.days = news.days"""

OF_CHANGES = f"""
SELECT preset.days, user_id, coalesce(tier, ''), CASE WHEN is_fresh THEN %(day)s::date ELSE {NEVER} END,
    is_fresh::int - was_kept::int, {", ".join(f"coalesce({name}, 0) - was_{name}" for name in SUMS)}
FROM rollup_changes CROSS JOIN unnest(%(presets)s::smallint[]) AS preset (days)
WHERE tier IS DISTINCT FROM was_tier
    OR {" OR ".join(f"{name} IS DISTINCT FROM was_{name}" for name in SUMS)}"""

OF_TURN = f"""
SELECT %(days)s, user_id, coalesce((array_agg(tier ORDER BY date DESC) FILTER (WHERE sign > 0))[1], ''),
    coalesce(max(date) FILTER (WHERE sign > 0), {NEVER}), sum(sign),
    {", ".join(f"sum(sign * {name})" for name in SUMS)}
FROM (
    SELECT 1 AS sign, * FROM cost_user_daily
    WHERE date BETWEEN %(entering_from)s AND %(entering_to)s
    UNION ALL
    SELECT -1 AS sign, * FROM cost_user_daily
    WHERE date BETWEEN %(leaving_from)s AND %(leaving_to)s
) AS moved
GROUP BY user_id"""

OF_RANGE = f"""
SELECT %(days)s, user_id, (array_agg(tier ORDER BY date DESC))[1], max(date), count(*),
    {", ".join(f"sum({name})" for name in SUMS)}
FROM cost_user_daily WHERE date BETWEEN %(first)s AND %(last)s GROUP BY user_id"""

# A user whose newest day vanished has the tier of the day before it.
NEWEST_AGAIN = """
UPDATE cost_user_window SET tier = newest.tier, last_on = newest.date
FROM rollup_changes AS vanished CROSS JOIN LATERAL (
    SELECT tier, date FROM cost_user_daily WHERE user_id = vanished.user_id ORDER BY date DESC LIMIT 1
) AS newest
WHERE NOT vanished.is_fresh AND days = ANY(%(presets)s) AND cost_user_window.user_id = vanished.user_id
  AND last_on = %(day)s"""

# Users without a day left in a range leave it.
REMOVE = """
WITH removed AS (DELETE FROM cost_user_window WHERE days = ANY(%(presets)s) AND user_days = 0 RETURNING days)
UPDATE cost_windows SET users = cost_windows.users - gone.users, updated_at = clock_timestamp()
FROM (SELECT days, count(*) AS users FROM removed GROUP BY days) AS gone
WHERE cost_windows.days = gone.days"""


def apply_changes(cursor: CursorWrapper, day: date) -> None:
    """Add what a day's rollup changed (rollup_changes) to the ranges that hold it, in its transaction."""
    cursor.execute("SELECT count(*), count(*) FILTER (WHERE NOT is_fresh) FROM rollup_changes")
    changed, vanished = cursor.fetchone()
    presets = [days for days, ends_on in lock_windows(cursor) if holds(days, ends_on, day)] if changed else []
    if not presets:
        return
    values: dict[str, Any] = {"day": day, "presets": presets}
    cursor.execute(ADD.format(difference=OF_CHANGES), values)
    if vanished:
        cursor.execute(NEWEST_AGAIN, values)
        cursor.execute(REMOVE, values)


def holds(days: int, ends_on: date, day: date) -> bool:
    """Say whether the range of so many days that ends on a day holds another day."""
    return ends_on - timedelta(days=days) < day <= ends_on


def lock_windows(cursor: CursorWrapper) -> list[tuple[int, date]]:
    """Return the ranges' lengths and last days; until the transaction ends no other may change them."""
    cursor.execute("SELECT days, ends_on FROM cost_windows ORDER BY days FOR UPDATE")
    return list(cursor.fetchall())


def advance(today: date) -> None:
    """Move every range so that it ends today: add the days that enter, subtract those that leave."""
    if is_current(today):
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cost_windows (days, ends_on)"
            " SELECT unnest(%s::smallint[]), '0001-01-01' ON CONFLICT DO NOTHING",
            [list(RANGE_DAYS)],
        )
        for days, ends_on in lock_windows(cursor):
            move(cursor, days, ends_on, today)


def is_current(today: date) -> bool:
    """Say whether every range ends today."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cost_windows WHERE ends_on = %s", [today])
        return bool(cursor.fetchone()[0] == len(RANGE_DAYS))


def move(cursor: CursorWrapper, days: int, ends_on: date, today: date) -> None:
    """Move one locked range, by difference where it overlaps its new place and else from scratch."""
    if ends_on < today < ends_on + timedelta(days=days):
        turn(cursor, days, ends_on, today)
    elif ends_on != today:
        build(cursor, days, today)


def turn(cursor: CursorWrapper, days: int, ends_on: date, today: date) -> None:
    """Move one range by less than its length."""
    length, one = timedelta(days=days), timedelta(days=1)
    values: dict[str, Any] = {
        "days": days,
        "presets": [days],
        "entering_from": ends_on + one,
        "entering_to": today,
        "leaving_from": ends_on - length + one,
        "leaving_to": today - length,
    }
    cursor.execute(ADD.format(difference=OF_TURN), values)
    cursor.execute(REMOVE, values)
    cursor.execute("UPDATE cost_windows SET ends_on = %s WHERE days = %s", [today, days])


def build(cursor: CursorWrapper, days: int, today: date) -> None:
    """Make one range from the daily rows."""
    cursor.execute("DELETE FROM cost_user_window WHERE days = %s", [days])
    cursor.execute("UPDATE cost_windows SET ends_on = %s, users = 0 WHERE days = %s", [today, days])
    values: dict[str, Any] = {"days": days, "first": today - timedelta(days=days - 1), "last": today}
    cursor.execute(ADD.format(difference=OF_RANGE), values)


def rebuild(today: date) -> None:
    """Make every range from the daily rows, as the differences should have left them."""
    advance(today)
    with transaction.atomic(), connection.cursor() as cursor:
        for days, _ in lock_windows(cursor):
            build(cursor, days, today)
