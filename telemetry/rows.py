"""Counts the rows that a job reads and writes, at the database connections it uses."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import ServerCursor

READS: Final = {"SELECT", "FETCH"}
WRITES: Final = {"INSERT", "UPDATE", "DELETE", "MERGE"}


class Tally(Protocol):
    """Whatever keeps count."""

    rows_read: int
    rows_written: int


# Who counts in this context, outermost first. A context variable and not a thread's: the ORM of a coroutine
# runs in another thread, with the coroutine's context.
tallies: Final[ContextVar[tuple[Tally, ...]]] = ContextVar("tallies", default=())


def count_on(connection: BaseDatabaseWrapper, **details: Any) -> None:
    """Have a connection counted from now on, in jobs and, for nothing, outside of them."""
    if counted not in connection.execute_wrappers:
        # In front: whoever pushes a wrapper for a while takes the last one away again.
        connection.execute_wrappers.insert(0, counted)


def counted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement and add its rows to every tally of this context."""
    result = execute(sql, params, many, context)
    if counting := tallies.get():
        count_statement(getattr(context["cursor"], "cursor", None), counting)
    return result


def count_statement(cursor: Any, counting: tuple[Tally, ...]) -> None:
    """Add what a cursor's last statement read or wrote. COPY does not pass here and is not counted."""
    if isinstance(cursor, ServerCursor):
        count_fetches(cursor, counting)
        return
    words = (getattr(cursor, "statusmessage", None) or "").split()
    rows = getattr(cursor, "rowcount", -1)
    if not words or rows < 1:
        return
    for tally in counting:
        if words[0] in READS:
            tally.rows_read += rows
        elif words[0] in WRITES:
            tally.rows_written += rows


def count_fetches(cursor: Any, counting: tuple[Tally, ...]) -> None:
    """Count a server-side cursor's rows as they are fetched: how many it will give is not known before."""
    fetchmany = cursor.fetchmany

    def counted_fetchmany(size: int = 0) -> Any:
        rows = fetchmany(size)
        for tally in counting:
            tally.rows_read += len(rows)
        return rows

    cursor.fetchmany = counted_fetchmany
