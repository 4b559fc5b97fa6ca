"""Rebuilds one local day of the usage partials from its raw rows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.days import cost_zone, day_bounds, has_exact_bounds, is_regular
from costs.usage import statements
from costs.usage.lock import UsageError, busy_on_lock_timeout, hold_partials, mark_dirty, settle_own_rows

# For the one rebuild that may run at a time: memory to hash a busy day's groups without spilling to disk, and
# a second core, which the planner's guess at the groups would forgo.
REBUILD_SETTINGS = {"work_mem": "256MB", "parallel_tuple_cost": "0"}


class RawRowsGone(UsageError):  # noqa: N818 - reads as what happened
    """Days cannot be rebuilt because retention dropped raw rows of theirs."""

    def __init__(self, days: Iterable[date]) -> None:
        self.days = sorted(days)
        listed = ", ".join(str(day) for day in self.days)
        super().__init__(
            f"The raw rows of {listed} are gone: roll up without --from-raw, the usage is still known."
        )


def has_raw_rows_gone(day: date) -> bool:
    """Say whether retention dropped raw rows of a local day."""
    lower, upper = day_bounds(day, cost_zone())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM telemetry_dropped WHERE lower_at < %s AND upper_at > %s)",
            [upper, lower],
        )
        return bool(cursor.fetchone()[0])


def rebuild_day_from_raw(day: date) -> None:
    """Make the partials of one local day equal to its raw rows, touching only what differs; marks it dirty.

    Its usage by hour and user is due from then on: see user_hours.

    Rows pending inside the day are counted and their marks deleted; the other marks stay for the fold.

    Raises:
        RawRowsGone: when retention dropped rows of the day.
        FoldBusy, ZoneChanged: as fold_pending.
    """
    with busy_on_lock_timeout(), transaction.atomic(), connection.cursor() as cursor:
        tz = hold_partials(cursor)
        if has_raw_rows_gone(day):
            raise RawRowsGone([day])
        lower, upper = day_bounds(day, tz)
        exact = has_exact_bounds(day, tz)
        taken = take_marks_inside(cursor, lower, upper) if exact else []
        values = {"day": day, "tz": tz.key, "lower": lower, "upper": upper}
        with more_memory(cursor):
            for kind in statements.KINDS.values():
                where = statements.raw_rows(kind, exact=exact)
                replace_sums(cursor, kind, values, where=where, regular=is_regular(day, tz))
        settle_own_rows(cursor, taken)
        mark_dirty(cursor, [day], due_from=day)


@contextmanager
def more_memory(cursor: CursorWrapper) -> Iterator[None]:
    """Give the statements within the settings of a rebuild."""
    for name, value in REBUILD_SETTINGS.items():
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
    yield
    for name in REBUILD_SETTINGS:
        cursor.execute(f"SET LOCAL {name} TO DEFAULT")


def take_marks_inside(cursor: CursorWrapper, lower: datetime, upper: datetime) -> list[int]:
    """Delete the marks whose rows all lie in a span, and return them; what follows counts those rows.

    No folder runs meanwhile, so in the snapshot of any later statement a row either belongs to the partials
    or has a mark; and the statements leave rows with a mark alone.
    """
    cursor.execute(
        "DELETE FROM telemetry_shipments WHERE first_created_at >= %s AND last_created_at < %s"
        " RETURNING shipment",
        [lower, upper],
    )
    return [row[0] for row in cursor.fetchall()]


def replace_sums(
    cursor: CursorWrapper, kind: statements.UsageKind, values: dict[str, Any], *, where: str, regular: bool
) -> None:
    """Make one kind's days, hours and waits equal to its raw rows, each where it does not add up to them."""
    days, hours = (f"fresh_{kind.name}_{grain}" for grain in ("days", "hours"))
    sums = (*kind.sums, "last_event_at")
    make_temporary(cursor, days, statements.raw_days(kind, where=where), values)
    names = ("user_id", "model")
    if says_yes(cursor, statements.unequal_totals(kind, "usage_daily", days, names=names), values):
        replace(cursor, "usage_daily", statements.DAILY_KEY, sums, days, values, only=kind.mine)
    if kind.waits and says_yes(cursor, statements.unequal_waits(days), values):
        replace_waits(cursor, kind, values, where=where)
    if says_yes(cursor, statements.unequal_totals(kind, "usage_hourly", days, names=("model",)), values):
        fresh = statements.raw_hours(kind, where=where, regular=regular, by=statements.PARTS)
        make_temporary(cursor, hours, fresh, values)
        replace(cursor, "usage_hourly", statements.HOURLY_KEY, sums, hours, values, only=kind.mine)


def says_yes(cursor: CursorWrapper, query: str, values: dict[str, Any]) -> bool:
    """Return a query's one boolean."""
    cursor.execute(query, values)
    return bool(cursor.fetchone()[0])


def replace_waits(
    cursor: CursorWrapper, kind: statements.UsageKind, values: dict[str, Any], *, where: str
) -> None:
    """Make the histogram of queue waits equal to the raw rows."""
    query = statements.waits_by_day(kind, day="%(day)s::date", where=where)
    make_temporary(cursor, "fresh_waits", query, values)
    key = ("day", "domain", "bucket")
    replace(cursor, "usage_wait_daily", key, ("waits",), "fresh_waits", values, only="true")


def replace(
    cursor: CursorWrapper,
    table: str,
    key: tuple[str, ...],
    columns: tuple[str, ...],
    fresh: str,
    values: dict[str, Any],
    *,
    only: str,
) -> None:
    """Make one day of a table equal to a fresh one, where the condition `only` holds for kept rows."""
    cursor.execute(statements.renew_in(table, key, columns, fresh), values)
    # Every fresh row is kept by now: only when there are more kept ones can any have vanished.
    more = (
        f"SELECT (SELECT count(*) FROM {table} AS kept WHERE day = %(day)s AND {only})"
        f" > (SELECT count(*) FROM {fresh})"
    )
    if says_yes(cursor, more, values):
        cursor.execute(statements.vanish_in(table, key, fresh, only=only), values)


def make_temporary(cursor: CursorWrapper, name: str, query: str, values: dict[str, Any]) -> int:
    """Keep a query's rows until the transaction ends, and return how many they are.

    CREATE TABLE AS, unlike INSERT, may run in parallel.
    """
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
    cursor.execute(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}", values)
    return int(cursor.rowcount)
