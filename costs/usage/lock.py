"""Who may change the usage partials: one process at a time, in the zone they were built in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.days import cost_zone
from telemetry.events import EVENT_KINDS

WAIT_S = 30.0
LOCK_NOT_AVAILABLE = "55P03"


class UsageError(Exception):
    """The partials cannot be changed now; the message is one line that says why and what to do."""


class FoldBusy(UsageError):  # noqa: N818 - reads as what happened
    """Another process folds or rebuilds the partials."""


class ZoneChanged(UsageError):  # noqa: N818 - reads as what happened
    """COST_TIMEZONE is not the zone that the partials were built in."""


def hold_partials(cursor: CursorWrapper, *, wait_s: float = WAIT_S) -> ZoneInfo:
    """Become the only one who changes the partials until the transaction ends; return their zone.

    The lock is that on the row of cost_settings: a lock on usage_daily itself would fight with autovacuum.

    Raises:
        FoldBusy: when another process holds it for longer than wait_s seconds.
        ZoneChanged: when COST_TIMEZONE is not the zone of the partials.
    """
    take_row(cursor, wait_s)
    check_zone()
    return cost_zone()


def take_row(cursor: CursorWrapper, wait_s: float) -> None:
    """Lock the settings row, made when missing; raises FoldBusy."""
    with busy_on_lock_timeout(), transaction.atomic():
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{max(1, int(wait_s * 1000))}ms"])
        cursor.execute(
            "INSERT INTO cost_settings (id, timezone) VALUES (1, %s) ON CONFLICT DO NOTHING",
            [settings.COST_TIMEZONE],
        )
        cursor.execute("SELECT FROM cost_settings WHERE id = 1 FOR UPDATE")
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


@contextmanager
def busy_on_lock_timeout() -> Iterator[None]:
    """Raise FoldBusy where a statement gives up waiting for a lock."""
    try:
        yield
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        raise FoldBusy("Usage is being folded by another process: try again in a minute.") from error


def is_lock_timeout(error: OperationalError) -> bool:
    """Say whether a statement gave up waiting for a lock."""
    return getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE


def check_zone() -> None:
    """Raise ZoneChanged when the partials were built in another zone than COST_TIMEZONE."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT timezone FROM cost_settings")
        kept = cursor.fetchone()
    if kept and kept[0] != settings.COST_TIMEZONE:
        raise ZoneChanged(
            f"COST_TIMEZONE is {settings.COST_TIMEZONE}, but usage was kept in {kept[0]}: "
            "run `manage.py rollup_costs --rebuild-timezone`, or set COST_TIMEZONE back."
        )


def mark_dirty(cursor: CursorWrapper, days: list[date], *, due_from: date = date.max) -> None:
    """Note that days changed since their rollup; dirty_at keeps the time of the first change.

    From the day due_from on their usage by hour and user is due too.
    """
    cursor.execute(
        """
        INSERT INTO cost_days AS kept (date, dirty_at, user_hours_due_at)
        SELECT day, clock_timestamp(), CASE WHEN day >= %s THEN clock_timestamp() END
        FROM unnest(%s::date[]) AS day ORDER BY day
        ON CONFLICT (date) DO UPDATE
        SET dirty_at = coalesce(kept.dirty_at, excluded.dirty_at), updated_at = clock_timestamp(),
            user_hours_due_at = coalesce(kept.user_hours_due_at, excluded.user_hours_due_at)
        """,
        [due_from, days],
    )


def settle_own_rows(cursor: CursorWrapper, shipments: list[int]) -> None:
    """Take rows that this very transaction stored out of its shipment, once they are in the partials.

    Folding inside the transaction that stores (a test, a script) leaves that transaction free to store more,
    under the same number: without this its next mark would count the first rows again.
    """
    cursor.execute("SELECT pg_current_xact_id()::text::bigint")
    own = cursor.fetchone()[0]
    if own in shipments:
        for kind in EVENT_KINDS.values():
            cursor.execute(f"UPDATE {kind.table} SET shipment = 0 WHERE shipment = %s", [own])
