"""Who rolls up a day now: a lease row with a fencing token, so that a stale worker writes nothing."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from costs.usage.lock import is_lock_timeout

# Above the longest rollup that statement_timeout (300 s) allows; a dead holder is found out at once, so only
# one that hangs holds a day this long.
LEASE: Final = "300 seconds"
CLAIM_WAIT: Final = "2s"

# A lease lasts while its time runs and the server process that claimed it lives. The claimant's process began
# before the claim; a later one with the same pid is another.
HELD: Final = f"""(lease_until > clock_timestamp() AND EXISTS (
    SELECT FROM pg_stat_activity
    WHERE pid = lease_pid AND backend_start <= lease_until - interval '{LEASE}'))"""


class RollupBusy(Exception):  # noqa: N818 - named in the public interface
    """Another process rolls up this day now."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day} is being rolled up by another process: try again in a minute.")


class LeaseLost(Exception):  # noqa: N818 - reads as what happened
    """Another process took the day over; nothing was written."""

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day} was taken over by another process while this one stood still: nothing written."
        )


@dataclass(frozen=True)
class Lease:
    """The right to write one day's cost rows while the row still has this token."""

    day: date
    token: int


def claim(day: date) -> Lease:
    """Take the day for this process, in a transaction of its own.

    Raises:
        RollupBusy: when another process has it.
    """
    end_expired_holder(day)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{CLAIM_WAIT}'")
            cursor.execute("INSERT INTO cost_days (date) VALUES (%s) ON CONFLICT DO NOTHING", [day])
            cursor.execute(
                f"""
                UPDATE cost_days SET lease_token = lease_token + 1, lease_pid = pg_backend_pid(),
                    lease_until = clock_timestamp() + interval '{LEASE}', updated_at = clock_timestamp()
                WHERE date = %s AND {HELD} IS NOT TRUE RETURNING lease_token
                """,
                [day],
            )
            row = cursor.fetchone()
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        raise RollupBusy(day) from error
    if not row:
        raise RollupBusy(day)
    return Lease(day, row[0])


def end_expired_holder(day: date) -> None:
    """End the server process of a holder whose time is up and that sits in a transaction, holding the day.

    Its process may be stopped for good; what it began is undone, and it finds its connection closed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT pg_terminate_backend(pid) FROM cost_days JOIN pg_stat_activity ON pid = lease_pid
            WHERE date = %s AND lease_until < clock_timestamp() AND pid <> pg_backend_pid()
              AND xact_start IS NOT NULL AND backend_start <= lease_until - interval '{LEASE}'
            """,
            [day],
        )


def hold(cursor: CursorWrapper, lease: Lease) -> None:
    """Lock the day's row until the transaction ends, if the lease is still ours; raises LeaseLost.

    While it is locked no other process can take the day over, and no fold that touches the day can commit:
    all later statements of the transaction see the same partials of the day.
    """
    cursor.execute(
        "SELECT FROM cost_days WHERE date = %s AND lease_token = %s FOR UPDATE", [lease.day, lease.token]
    )
    if not cursor.rowcount:
        raise LeaseLost(lease.day)


def release(lease: Lease) -> None:
    """Give the day back without having written, unless another process took it over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cost_days SET lease_until = NULL, lease_pid = NULL WHERE date = %s AND lease_token = %s",
            [lease.day, lease.token],
        )
