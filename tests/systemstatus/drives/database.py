"""How the budgets of PostgreSQL are driven: real sessions, locks, tables; the clock of old age is moved.

What cannot be made in a test, such as two thousand million transactions, is put in the place of the table
that PostgreSQL counts it in; tests/systemstatus/probes/test_postgres.py asks the questions themselves.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from systemstatus.probes.postgres import activity, counters, locks, replication, tables
from tests.systemstatus.drives.drive import CRITICAL, WELL, Row, World
from tests.systemstatus.probes.test_postgres import session

CLOCK = "clock_timestamp()"


def later(world: World, where: object, name: str, seconds: float) -> None:
    """Have a question asked so many seconds later by PostgreSQL's clock."""
    sql = world.kept.setdefault(name, getattr(where, name))
    world.patch.setattr(where, name, sql.replace(CLOCK, f"({CLOCK} + interval '{seconds} s')"))


def connections(world: World, level: int) -> None:
    """As many sessions as there are, on a server that takes few more."""
    share = (50, 85, 95)[level]
    most = f"(SELECT count(*) * 100 / {share} FROM pg_stat_activity WHERE backend_type = 'client backend')"
    sql = f"SELECT {most} AS most, '1' AS version, 1 AS up_s"
    world.patch.setattr(activity, "LIMIT", sql)


@contextmanager
def crowd(world: World) -> Iterator[None]:
    """Sessions enough that one more or less makes no difference."""
    links = [session() for _ in range(20)]
    opened = [link.__enter__() for link in links]
    try:
        yield
    finally:
        for link in opened:
            link.close()


def cache_hits(world: World, level: int) -> None:
    read = (0, 200, 1000)[level]
    counted(world, blks_hit=10_000 - read, blks_read=read)


def deadlocks(world: World, level: int) -> None:
    counted(world, deadlocks=(0, 1, 10)[level])


def counted(world: World, **more: int) -> None:
    """Let counts of the database grow."""
    totals = world.kept.setdefault("totals", dict.fromkeys(
        ("blks_hit", "blks_read", "deadlocks", "xact_commit", "xact_rollback", "temp_bytes"), 0))  # fmt: skip
    for name, amount in more.items():
        totals[name] += amount
    listed = ", ".join(f"{total} AS {name}" for name, total in totals.items())
    world.patch.setattr(counters, "DATABASE", f"SELECT {listed}")


@contextmanager
def long_query(world: World) -> Iterator[None]:
    with session() as link:
        thread = threading.Thread(target=sleeps, args=(link,))
        thread.start()
        try:
            yield
        finally:
            link.cancel()
            thread.join()


def sleeps(link: "psycopg.Connection[tuple[object, ...]]") -> None:
    try:
        link.execute("SELECT pg_sleep(600)")
    except psycopg.errors.QueryCanceled:
        link.rollback()


@contextmanager
def idle_transaction(world: World) -> Iterator[None]:
    with session() as link:
        link.execute("SELECT 1")
        yield
        link.rollback()


@contextmanager
def blocked(world: World) -> Iterator[None]:
    with session() as holder, session() as waiter:
        holder.execute("SELECT pg_advisory_xact_lock(77)")
        thread = threading.Thread(target=waiter.execute, args=("SELECT pg_advisory_xact_lock(77)",))
        thread.start()
        try:
            yield
        finally:
            holder.rollback()
            thread.join()
            waiter.rollback()


@contextmanager
def lock_holder(world: World) -> Iterator[None]:
    with session() as link:
        world.kept["holder"] = link
        yield
        link.rollback()


def many_locks(world: World, level: int) -> None:
    """Hold a share of the locks that there is room for, in one transaction."""
    link = world.kept["holder"]
    link.rollback()
    _, room = link.execute(locks.TABLE).fetchone()
    most = int(room * (0, 0.3, 0.6)[level])
    link.execute("SELECT count(pg_advisory_xact_lock(9, n)) FROM generate_series(1, %s) AS n", [most])


def replica(world: World, level: int) -> None:
    lag_s = (1, 10, 60)[level]
    world.patch.setattr(
        replication,
        "REPLICAS",
        f"SELECT 'standby' AS name, 'streaming' AS state, 'async' AS sync_state, {lag_s}::float8 AS lag_s,"
        " 0::bigint AS behind_bytes",
    )


@contextmanager
def slot(world: World) -> Iterator[None]:
    with session(user="postgres") as link:
        link.autocommit = True
        link.execute("SELECT pg_create_physical_replication_slot('driven', true)")
        try:
            yield
        finally:
            link.execute("SELECT pg_drop_replication_slot('driven')")


@contextmanager
def table(world: World) -> Iterator[None]:
    with session() as link:
        link.autocommit = True
        link.execute("CREATE TABLE driven (id int) WITH (autovacuum_enabled = off)")
        link.execute("INSERT INTO driven SELECT generate_series(1, 12000)")
        world.kept["table"] = link
        try:
            yield
        finally:
            link.execute("DROP TABLE driven")


def dead_rows(world: World, level: int) -> None:
    """Delete rows, or clear away those that were."""
    link = world.kept["table"]
    if level == WELL:
        link.execute("VACUUM driven")
    else:
        link.execute("DELETE FROM driven WHERE id <= %s", [4800 if level == CRITICAL else 1800])
    link.execute("SELECT pg_stat_force_next_flush()")
    link.execute("SELECT 1")


def bloat(world: World, level: int) -> None:
    share = (40, 75, 90)[level]
    sql = f"SELECT 'big' AS name, 1 AS bytes, 1 AS rows, {share}::float8 AS share WHERE %s > 0 LIMIT %s"
    world.patch.setattr(tables, "BLOAT", sql)


def transactions(world: World, level: int) -> None:
    age = (200_000_000, 700_000_000, 1_600_000_000)[level]
    world.patch.setattr(counters, "AGES", f"SELECT 'db' AS datname, {age} AS xid_age, 1 AS mxid_age")


@contextmanager
def sequence(world: World) -> Iterator[None]:
    with session() as link:
        link.autocommit = True
        link.execute("CREATE SEQUENCE driven_ids MAXVALUE 1000")
        world.kept["sequence"] = link
        try:
            yield
        finally:
            link.execute("DROP SEQUENCE driven_ids")


def sequence_used(world: World, level: int) -> None:
    world.kept["sequence"].execute("SELECT setval('driven_ids', %s)", [(500, 850, 950)[level]])


def aged(where: object, name: str, *seconds: float) -> "Ages":
    return Ages(where, name, seconds)


class Ages:
    """Moves PostgreSQL's clock for one question: seconds at each level."""

    def __init__(self, where: object, name: str, seconds: tuple[float, ...]) -> None:
        self.where, self.name, self.seconds = where, name, seconds

    def __call__(self, world: World, level: int) -> None:
        later(world, self.where, self.name, self.seconds[level])


COSTLY_MIN = 10
ROWS = (
    Row("db.connections", "postgres", ("activity",), connections, crowd),
    Row("db.cache_hit", "postgres", ("counters",), cache_hits),
    Row("db.longest_query", "postgres", ("activity",), aged(activity, "CLIENTS", 0, 61, 301), long_query),
    Row("db.idle_in_tx", "postgres", ("activity",), aged(activity, "CLIENTS", 0, 61, 301), idle_transaction),
    Row("db.lock_wait", "postgres", ("locks",), aged(locks, "WAITING", 0, 11, 61), blocked),
    Row("db.lock_table", "postgres", ("locks",), many_locks, lock_holder),
    Row("db.deadlocks", "postgres", ("counters",), deadlocks),
    Row("db.replica_lag", "postgres", ("replication",), replica),
    Row("db.inactive_slot", "postgres", ("replication",), aged(replication, "SLOTS", 0, 61, 1801), slot),
    Row("db.dead_tuples", "postgres", ("dead tuples",), dead_rows, table, step_min=COSTLY_MIN),
    Row("db.bloat", "postgres", ("bloat",), bloat),
    Row("db.xid_age", "postgres", ("ids",), transactions, step_min=COSTLY_MIN),
    Row("db.sequence", "postgres", ("ids",), sequence_used, sequence),
)
