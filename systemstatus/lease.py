"""Who collects now: a lease row with a fencing token, so that a process that stood still writes nothing."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

LOCK_WAIT: Final = "1s"
STATEMENT_WAIT: Final = "3s"

# A minute done that lies far ahead, or a lease that lasts far too long: the clock was set back since.
CLAIM: Final = """
INSERT INTO status_leases AS held (name, token, holder, lease_until)
VALUES (%(name)s, 1, %(holder)s, clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (name) DO UPDATE SET token = held.token + 1, holder = EXCLUDED.holder,
    lease_until = EXCLUDED.lease_until, updated_at = clock_timestamp()
WHERE (held.lease_until IS NULL OR held.lease_until < clock_timestamp()
        OR held.lease_until > clock_timestamp() + 2 * make_interval(secs => %(seconds)s))
    AND (held.minute IS NULL OR held.minute < %(minute)s
        OR held.minute > %(minute)s + interval '5 minutes')
RETURNING token
"""


class LeaseBusyError(Exception):
    """Another process does this now, or it is done already."""


class LeaseLostError(Exception):
    """Another process took over while this one stood still: nothing was written."""


@dataclass(frozen=True)
class Lease:
    """The right to write while the row still has this token."""

    name: str
    token: int
    minute: datetime


def claim(name: str, minute: datetime, *, seconds: float) -> Lease:
    """Take a piece of work for one minute; raises LeaseBusyError where it is taken or done."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    values: dict[str, Any] = {"name": name, "holder": holder, "seconds": seconds, "minute": minute}
    with transaction.atomic(), connection.cursor() as cursor:
        be_brief()
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    if not row:
        raise LeaseBusyError(f"{name} of {minute:%H:%M} is being done by another process, or is done")
    return Lease(name, row[0], minute)


def finish(lease: Lease, *, took_ms: int) -> None:
    """Note the minute as done and let go, in the caller's transaction; raises LeaseLostError."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE status_leases SET minute = %s, took_ms = %s, lease_until = NULL,"
            " done_at = clock_timestamp(), updated_at = clock_timestamp() WHERE name = %s AND token = %s",
            [lease.minute, took_ms, lease.name, lease.token],
        )
        if not cursor.rowcount:
            raise LeaseLostError(f"{lease.name} of {lease.minute:%H:%M} was taken over: nothing written")


def note(name: str) -> None:
    """Note that a piece of work that needs no lease was done just now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO status_leases (name, done_at) VALUES (%s, clock_timestamp()) ON CONFLICT (name)"
            " DO UPDATE SET done_at = clock_timestamp(), updated_at = clock_timestamp()",
            [name],
        )


def release(lease: Lease) -> None:
    """Let go without having done it, unless another process took over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE status_leases SET lease_until = NULL WHERE name = %s AND token = %s",
            [lease.name, lease.token],
        )


def be_brief() -> None:
    """Have the current transaction wait for no lock longer than a second, and no statement than three."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; SET LOCAL statement_timeout = '{STATEMENT_WAIT}'"
        )
