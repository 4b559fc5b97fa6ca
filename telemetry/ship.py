"""Stores cleaned events by COPY, a batch in one transaction."""

from collections.abc import Sequence
from typing import Final

import psycopg
from django.db import connection, transaction
from django.db.utils import IntegrityError

from telemetry.encoding import COPY_END, COPY_HEAD, days_of
from telemetry.events import EVENT_KINDS, EventKind, Row
from telemetry.partitions import ensure_partitions, known_days

NO_PARTITION: Final = "23514"


def ship(kind: str, rows: Sequence[Row]) -> int:
    """Store rows made by the kind's `clean` and return how many; all of them or, on an exception, none.

    The rows are not checked again: the binary form of COPY cuts a number too large for its column.
    Joins the caller's transaction where there is one, so that a ledger row commits with the events it counts.
    Makes the partitions the rows need. Raises django.db.Error.
    """
    if not rows:
        return 0
    event_kind = EVENT_KINDS[kind]
    try:
        copy_with_partitions(event_kind, rows)
    except IntegrityError as error:
        if not lacks_partition(error):
            raise
        # Retention, or a rolled-back test, took a partition this process believed in: look again, once.
        known_days.forget()
        copy_with_partitions(event_kind, rows)
    return len(rows)


def copy_with_partitions(kind: EventKind, rows: Sequence[Row]) -> None:
    """Make the partitions and copy the rows in one transaction or savepoint."""
    created_at = kind.columns.index("created_at")
    days = {row[created_at].date() for row in rows}
    with transaction.atomic():
        ensure_partitions(kind.name, days)
        copy_rows(kind, rows)


def ship_encoded(kind: str, columns: Sequence[str], rows: Sequence[bytes]) -> None:
    """Store rows that are in COPY's binary form already; otherwise as `ship`. Raises django.db.Error."""
    event_kind = EVENT_KINDS[kind]
    try:
        copy_encoded(event_kind, columns, rows)
    except IntegrityError as error:
        if not lacks_partition(error):
            raise
        known_days.forget()
        copy_encoded(event_kind, columns, rows)


def copy_encoded(kind: EventKind, columns: Sequence[str], rows: Sequence[bytes]) -> None:
    """Make the partitions and copy the encoded rows in one transaction or savepoint."""
    statement = f"COPY {kind.table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with transaction.atomic():
        ensure_partitions(kind.name, days_of(rows))
        with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.write(b"".join((COPY_HEAD, *rows, COPY_END)))


def copy_rows(kind: EventKind, rows: Sequence[Row]) -> None:
    """Copy the rows into the kind's table: binary, which costs the client a quarter of what text costs."""
    statement = f"COPY {kind.table} ({', '.join(kind.columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.set_types(kind.sql_types)
        for row in rows:
            copy.write_row(row)


def lacks_partition(error: IntegrityError) -> bool:
    """Return whether a statement failed because no partition takes one of its rows."""
    cause = error.__cause__
    return (
        isinstance(cause, psycopg.Error) and cause.sqlstate == NO_PARTITION and "no partition" in str(cause)
    )
