"""The questions asked of a real PostgreSQL find what was made there."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest
from django.db import connection

from systemstatus.probes.postgres import (
    activity,
    asking,
    counters,
    indexes,
    locks,
    replication,
    round_trip,
    tables,
)
from tests.faults.processes import wait_until


@contextmanager
def session(
    *, application: str = "shop", user: str = ""
) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """Another client of the test's database."""
    given = connection.get_connection_params()
    with psycopg.connect(
        host=given["host"], user=user or given["user"], dbname=given["dbname"], application_name=application
    ) as link:
        yield link


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("SELECT 'it''s secret', 42, t1.x2 FROM t1\nWHERE a = $1", "SELECT ?, ?, t1.x2 FROM t1 WHERE a = $1"),
        ("SELECT E'a\\'b' || $tag$hidden$tag$, 1.5", "SELECT ? || ?, ?"),
        ("SELECT 'cut off in the mid", "SELECT ?"),
        (None, ""),
    ],
)
def test_statements_are_shown_without_their_literals(statement: str | None, seen: str) -> None:
    assert asking.shown(statement) == seen


def test_a_statement_of_megabytes_is_cut() -> None:
    assert len(asking.shown("SELECT " + "x," * 1_000_000)) <= asking.SHOWN


@pytest.mark.parametrize(("ms", "state"), [(0.2, "ok"), (49.9, "ok"), (50, "warning"), (250, "failed")])
def test_a_slow_round_trip_warns_and_a_slower_one_fails(ms: float, state: str) -> None:
    read = round_trip.judged(ms, [ms])
    assert (read.state, read.values) == (state, {"db.rtt": ms})
    assert ("answers in" in read.note) == (state != "ok")


@pytest.mark.django_db
def test_a_round_trip_is_the_fastest_of_five() -> None:
    read = round_trip.round_trip()
    assert read.values["db.rtt"] == min(read.detail["rtt_samples_ms"])
    assert len(read.detail["rtt_samples_ms"]) == 5


@pytest.mark.django_db(transaction=True)
def test_connections_and_an_idle_transaction_are_seen() -> None:
    with session() as link:
        link.execute("SELECT 'a password', 7")
        time.sleep(0.25)
        reading = activity.activity()
    assert reading.values["db.idle_in_tx"] >= 0.2  # type: ignore[operator] # one number
    assert reading.detail["idle_in_tx"][0]["query"] == "SELECT ?, ?"
    assert reading.detail["idle_in_tx"][0]["app"] == "shop"
    assert reading.detail["connections"]["states"]["idle in transaction"] == 1
    used, most = reading.values["db.connections_used"], reading.detail["connections"]["most"]
    assert reading.values["db.connections"] == round(100 * used / most, 2)  # type: ignore[operator] # one number


@pytest.mark.django_db(transaction=True)
def test_a_long_statement_is_the_longest() -> None:
    with session() as link:
        thread = threading.Thread(target=sleeps, args=(link,))
        thread.start()
        wait_until(lambda: session_is(link.info.backend_pid, "PgSleep"), "the statement at work")
        time.sleep(0.25)
        reading = activity.activity()
        link.cancel_safe()
        thread.join()
    assert 0.2 <= reading.values["db.longest_query"] < 60  # type: ignore[operator] # one number
    assert reading.detail["longest_queries"][0]["query"] == "SELECT pg_sleep(?)"


def sleeps(link: "psycopg.Connection[tuple[object, ...]]") -> None:
    with suppress(psycopg.errors.QueryCanceled):
        link.execute("SELECT pg_sleep(60)")


def session_is(pid: int, waits_for: str) -> bool:
    """Say whether a session waits for that: an event of PostgreSQL's, or a kind of lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT wait_event FROM pg_stat_activity WHERE pid = %s", [pid])
        found = cursor.fetchone()
    return bool(found and found[0] == waits_for)


@pytest.mark.django_db(transaction=True)
def test_the_blocking_tree_stays_readable_while_a_migration_holds_a_table() -> None:
    with session(application="migration") as holder, session() as reader, session() as writer:
        holder.execute("LOCK TABLE cost_days IN ACCESS EXCLUSIVE MODE")
        threads = [
            threading.Thread(target=waits, args=(link, statement))
            for link, statement in (
                (reader, "SELECT count(*) FROM cost_days"),
                (writer, "DELETE FROM cost_days WHERE date = '2026-01-01'"),
            )
        ]
        for thread in threads:
            thread.start()
        pids = [link.info.backend_pid for link in (reader, writer)]
        wait_until(lambda: all(session_is(pid, "relation") for pid in pids), "both at the lock")
        time.sleep(0.25)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        try:
            reading, sized = locks.locks(), tables.sizes()
        finally:
            holder.rollback()
            for thread in threads:
                thread.join()
    top, *below = reading.detail["blocking"]
    assert (top["depth"], top["app"], top["blocked"]) == (0, "migration", 2)
    assert "cost_days (AccessExclusiveLock)" in top["holds"]
    assert {row["depth"] for row in below} == {1}
    assert all("cost_days" in row["waits_for"] for row in below)
    assert reading.values["db.blocked"] == 2
    assert 0.2 < reading.values["db.lock_wait"] < 60  # type: ignore[operator] # one number
    assert sized.values["db.size_bytes"] > 1_000_000  # type: ignore[operator] # one number


def waits(link: "psycopg.Connection[tuple[object, ...]]", statement: str) -> None:
    link.execute(statement)  # type: ignore[arg-type, unused-ignore] # the statements are written above
    link.rollback()


def test_sessions_that_wait_for_each_other_are_each_told_once() -> None:
    def wait(*blockers: int) -> dict[str, object]:
        return {"blockers": list(blockers), "locktype": "tuple", "relation": "t", "mode": "X", "waits_s": 1}

    ring = {1: wait(2), 2: wait(1), 3: wait(2)}
    assert [(row["pid"], row["depth"]) for row in locks.tree(ring, {}, {})] == [(1, 0), (2, 1), (3, 2)]


@pytest.mark.django_db
def test_counts_only_grow_and_ages_are_known() -> None:
    first = counters.counters().values
    assert first["db.blocks_hit_total"] > 0  # type: ignore[operator] # one number
    ages = counters.ids()
    assert 0 < ages.values["db.xid_age"] < 2**31  # type: ignore[operator] # one number
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE nearly_full MAXVALUE 1000")
        cursor.execute("SELECT setval('nearly_full', 850)")
    reading = counters.ids()
    assert reading.values["db.sequence"] == 85
    assert reading.detail["sequences"][0]["name"] == "public.nearly_full"


@pytest.mark.django_db(transaction=True)
def test_two_sessions_that_wait_for_each_other_are_counted_as_a_deadlock() -> None:
    before = counters.counters().values["db.deadlocks_total"]
    with session(user="postgres") as one, session(user="postgres") as other:
        for link, own in ((one, 1), (other, 2)):
            link.execute("SET deadlock_timeout = '10ms'")
            link.execute("SELECT pg_advisory_xact_lock(%s)", [own])
        thread = threading.Thread(target=ends_in_deadlock, args=(one, 2))
        thread.start()
        ends_in_deadlock(other, 1)
        thread.join()
        for link in (one, other):
            link.execute("SELECT pg_stat_force_next_flush()")
            link.rollback()
    assert counters.counters().values["db.deadlocks_total"] == before + 1  # type: ignore[operator] # one number


def ends_in_deadlock(link: "psycopg.Connection[tuple[object, ...]]", wanted: int) -> None:
    try:
        link.execute("SELECT pg_advisory_xact_lock(%s)", [wanted])
    except psycopg.errors.DeadlockDetected:
        pass
    link.rollback()


@pytest.mark.django_db(transaction=True)
def test_the_statements_of_the_most_time_or_what_makes_them_known() -> None:
    with session(user="postgres") as link:
        link.autocommit = True
        link.execute("DROP EXTENSION IF EXISTS pg_stat_statements")
        try:
            without = counters.statements().detail
        finally:
            link.execute("CREATE EXTENSION pg_stat_statements")
    assert without == {"statements": [], "statements_remedy": "CREATE EXTENSION pg_stat_statements;"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'hidden' AS once_only_here")
    found = counters.statements().detail["statements"]
    assert found[0]["calls"] >= 1
    assert all("hidden" not in row["query"] for row in found)


@pytest.fixture
def holes() -> Iterator[None]:
    """A table of its own transaction: what is made in the same one is held by it."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS holes")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("holes")
def test_bloat_and_indexes_are_told_with_what_mends_them() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE holes (id int, word text) WITH (autovacuum_enabled = off)")
        cursor.execute("INSERT INTO holes SELECT n, repeat('x', 100) FROM generate_series(1, 20000) AS n")
        cursor.execute("CREATE INDEX holes_word ON holes (word)")
        cursor.execute("CREATE INDEX holes_both ON holes (word, id)")
        cursor.execute("ANALYZE holes")
        full = tables.bloat(from_bytes=1_000_000)
        cursor.execute("DELETE FROM holes WHERE id % 5 > 0")
        cursor.execute("ANALYZE holes")
    share = {row["name"]: row["share"] for row in full.detail["bloat"]}["holes"]
    assert share < 25
    reading = tables.bloat(from_bytes=1_000_000)
    assert reading.detail["bloat"][0]["remedy"] == 'VACUUM FULL "holes";'
    assert 75 < reading.values["db.bloat"] < 90  # type: ignore[operator] # one number
    found = indexes.indexes(from_bytes=500_000).detail["indexes"]
    twice = {row["name"]: row for row in found["duplicate"]}["holes_word"]
    assert twice["covered_by"] == "holes_both"
    assert "holes_both" in {row["name"] for row in found["unused"]}
    compile(twice["migration"], "migration", "exec")
    assert 'DROP INDEX CONCURRENTLY IF EXISTS "holes_word"' in twice["migration"]
    assert "CREATE INDEX CONCURRENTLY holes_word ON" in twice["migration"]


@pytest.mark.django_db(transaction=True)
def test_dead_rows_count_for_tables_of_enough_rows() -> None:
    with session() as link:
        link.autocommit = True
        link.execute("CREATE TABLE dying (id int) WITH (autovacuum_enabled = off)")
        try:
            link.execute("INSERT INTO dying SELECT generate_series(1, 1000)")
            link.execute("DELETE FROM dying WHERE id <= 400")
            link.execute("SELECT pg_stat_force_next_flush()")
            link.execute("SELECT 1")
            reading = tables.dead(from_rows=1000)
            assert tables.dead(from_rows=2000).values["db.dead_tuples"] == 0
        finally:
            link.execute("DROP TABLE dying")
    assert reading.values["db.dead_tuples"] == 40
    assert reading.detail["dead_tuples"][0]["remedy"] == 'VACUUM (ANALYZE) "dying";'


@pytest.mark.django_db(transaction=True)
def test_a_slot_that_nobody_reads_is_told_and_without_replicas_there_is_no_lag() -> None:
    with session(user="postgres") as link:
        link.autocommit = True
        link.execute("SELECT pg_create_physical_replication_slot('left_behind', true)")
        try:
            reading = replication.replication()
        finally:
            link.execute("SELECT pg_drop_replication_slot('left_behind')")
    assert set(reading.values["db.inactive_slot"]) == {"left_behind"}  # type: ignore[arg-type] # a mapping
    assert "db.replica_lag" not in reading.values
