"""Counting rows at the connection."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection

from telemetry.measure import Meter

pytestmark = pytest.mark.django_db

MOVE = """WITH gone AS (DELETE FROM auth_group RETURNING name)
    INSERT INTO auth_group (name) SELECT name || 'y' FROM gone"""
MERGE = """MERGE INTO auth_group g USING (VALUES ('group1'), ('new')) AS v(name) ON g.name = v.name
    WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (name) VALUES (v.name)"""


@pytest.fixture(autouse=True)
def three_groups() -> None:
    Group.objects.all().delete()  # the roles, which a migration made
    Group.objects.bulk_create(Group(name=f"group{n}") for n in range(3))


def counted(work: Callable[[], Any]) -> tuple[int, int]:
    """Return the rows read and written by this work."""
    meter = Meter()
    meter.start()
    try:
        work()
    finally:
        meter.stop()
    return meter.rows_read, meter.rows_written


def sql(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT * FROM auth_group", (3, 0)),
        ("SELECT * FROM auth_group WHERE false", (0, 0)),
        ("WITH two AS (SELECT * FROM auth_group LIMIT 2) SELECT * FROM two", (2, 0)),
        ("UPDATE auth_group SET name = name || 'x'", (0, 3)),
        ("  /* why */ DELETE FROM auth_group RETURNING id", (0, 3)),
        ("INSERT INTO auth_group (name) VALUES ('a'), ('b') RETURNING id", (0, 2)),
        (MOVE, (0, 3)),
        (MERGE, (0, 2)),
        ("SET LOCAL work_mem = '8MB'", (0, 0)),
    ],
)
def test_every_statement_counts_as_the_database_reports_it(statement: str, rows: tuple[int, int]) -> None:
    assert counted(lambda: sql(statement)) == rows


def test_a_batch_of_statements_counts_all_its_rows() -> None:
    def batch() -> None:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO auth_group (name) VALUES (%s)", [("a",), ("b",), ("c",), ("d",)])

    assert counted(batch) == (0, 4)


def test_the_orm_is_counted_and_so_is_iterating_in_chunks() -> None:
    assert counted(lambda: list(Group.objects.all())) == (3, 0)
    assert counted(lambda: list(Group.objects.iterator(chunk_size=2))) == (3, 0)
    assert counted(lambda: next(Group.objects.iterator(chunk_size=2)))[0] == 2
    assert counted(lambda: Group.objects.create(name="new")) == (0, 1)


def test_a_statement_that_fails_counts_nothing_and_fails_as_ever() -> None:
    def failing() -> None:
        with pytest.raises(Exception, match="division by zero"):
            sql("SELECT 1 / 0")

    assert counted(failing) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_another_threads_statements_are_not_counted() -> None:
    def elsewhere() -> None:
        list(Group.objects.all())
        connection.close()

    def work() -> None:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    assert counted(work) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_coroutines_statements_are_counted_though_they_run_in_another_thread() -> None:
    async def work() -> Meter:
        meter = Meter()
        meter.start(cpu=False)
        await sync_to_async(lambda: list(Group.objects.all()))()
        assert [group async for group in Group.objects.all()]
        meter.stop()
        await sync_to_async(lambda: connection.close())()
        return meter

    assert asyncio.run(work()).rows_read == 6


def test_nothing_is_counted_outside_of_jobs() -> None:
    meter = Meter()
    meter.start()
    meter.stop()
    list(Group.objects.all())
    assert meter.rows_read == 0
