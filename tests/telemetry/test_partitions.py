"""Partitions of the event tables: making them, sharing them, dropping them."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction

from telemetry.models import DroppedPartition, JobEvent, LlmEvent, Shipment
from telemetry.partitions import (
    Span,
    drop_expired,
    ensure_partitions,
    keep_partitions,
    known_days,
    partition_spans,
)
from telemetry.ship import ship
from telemetry.tasks import keep_partitions as keep_partitions_task
from tests.telemetry.test_ship import job_row, llm_row

TABLE = "telemetry_llm_events"
NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=95)


@pytest.fixture(autouse=True)
def fresh_partitions() -> Iterator[None]:
    """Let no test meet the partitions another one left, and leave none."""
    known_days.forget()
    yield
    known_days.forget()


@pytest.fixture
def no_partitions(transactional_db: None) -> Iterator[None]:
    """Begin with none, and end with those that every database has."""
    drop_all()
    yield
    drop_all()
    keep_partitions(NOW)


def drop_all() -> None:
    with connection.cursor() as cursor:
        for table in (TABLE, "telemetry_job_events"):
            for span in partition_spans(table):
                cursor.execute(f"DROP TABLE {table}_{span.suffix}")
    known_days.forget()


def age(days: int) -> None:
    """Make every stored row as if it had been received and folded that many days ago."""
    with connection.cursor() as cursor:
        for table in (TABLE, "telemetry_job_events"):
            cursor.execute(f"UPDATE {table} SET received_at = %s", [NOW - timedelta(days=days)])
    Shipment.objects.all().delete()


@pytest.mark.django_db
def test_a_fresh_database_takes_events_from_yesterday_to_a_week_ahead() -> None:
    today = NOW.date()
    for table in (TABLE, "telemetry_job_events"):
        spans = partition_spans(table)
        assert all(any(today + timedelta(days=n) in span for span in spans) for n in range(-1, 8))


@pytest.mark.usefixtures("no_partitions")
def test_recent_days_get_their_own_partition_and_far_months_share_one() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    days = [date(2026, 11, 1), date(2026, 8, 14), date(2026, 8, 13), date(2024, 2, 1), date(2024, 2, 29)]
    ensure_partitions("llm", days, now=now)
    february = Span(date(2024, 2, 1), date(2024, 3, 1))
    assert partition_spans(TABLE) == [february, *(Span.of_day(day) for day in sorted(days[:3]))]


@pytest.mark.usefixtures("no_partitions")
def test_a_far_month_that_has_daily_partitions_gets_more_of_them() -> None:
    then, now = datetime(2024, 2, 10, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
    ensure_partitions("llm", [date(2024, 2, 9)], now=then)
    ensure_partitions("llm", [date(2024, 2, 20)], now=now)
    assert partition_spans(TABLE) == [Span.of_day(date(2024, 2, 9)), Span.of_day(date(2024, 2, 20))]


@pytest.mark.usefixtures("no_partitions")
def test_two_years_of_sparse_days_need_two_dozen_partitions() -> None:
    ensure_partitions("llm", [date(2022, 1, 1) + timedelta(days=n) for n in range(0, 730, 3)], now=NOW)
    assert len(partition_spans(TABLE)) == 24


@pytest.mark.usefixtures("no_partitions")
def test_a_partition_has_the_tables_indexes_and_defaults() -> None:
    ship("llm", [llm_row()])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_indexes WHERE tablename = %s", [f"{TABLE}_{llm_row()[-1]:%Y%m%d}"]
        )
        assert cursor.fetchone() == (4,)
    assert LlmEvent.objects.filter(id__isnull=False, shipment__gt=0).count() == 1


@pytest.mark.usefixtures("no_partitions")
def test_partitions_made_in_a_transaction_that_rolls_back_are_made_again() -> None:
    with transaction.atomic():
        ensure_partitions("llm", [NOW.date()])
        transaction.set_rollback(True)
    ensure_partitions("llm", [NOW.date()])
    assert partition_spans(TABLE) == [Span.of_day(NOW.date())]


@pytest.mark.usefixtures("no_partitions")
def test_many_makers_at_once_all_succeed() -> None:
    days = [NOW.date() + timedelta(days=n) for n in range(6)]
    failures: list[Exception] = []

    def make() -> None:
        try:
            known_days.forget()
            ensure_partitions("llm", days)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert partition_spans(TABLE) == [Span.of_day(day) for day in days]


@pytest.mark.usefixtures("no_partitions")
def test_a_maker_does_not_wait_for_readers_or_writers() -> None:
    ship("llm", [llm_row()])
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {TABLE} IN ROW EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        ensure_partitions("llm", [NOW.date() + timedelta(days=3)])
    finally:
        holder.close()
        connection.close()
    assert len(partition_spans(TABLE)) == 2


@pytest.mark.usefixtures("no_partitions")
def test_expired_partitions_are_dropped_and_written_down() -> None:
    ship("llm", [llm_row(created_at=OLD), llm_row()])
    ship("job", [job_row(created_at=OLD)])
    age(days=91)
    assert sorted(drop_expired(NOW)) == [f"telemetry_job_events_{OLD:%Y%m%d}", f"{TABLE}_{OLD:%Y%m%d}"]
    assert (LlmEvent.objects.count(), JobEvent.objects.count()) == (1, 0)
    midnight = OLD.replace(hour=0, minute=0, second=0, microsecond=0)
    dropped = DroppedPartition.objects.values_list("table_name", "lower_at", "upper_at")
    assert (TABLE, midnight, midnight + timedelta(days=1)) in dropped
    ship("llm", [llm_row(created_at=OLD)])
    assert LlmEvent.objects.count() == 2


@pytest.mark.usefixtures("no_partitions")
def test_a_day_that_ended_less_than_the_retention_ago_stays(settings: pytest.FixtureRequest) -> None:
    edge = NOW - timedelta(days=90)
    ship("llm", [llm_row(created_at=edge)])
    age(days=91)
    assert drop_expired(NOW) == []
    assert drop_expired(NOW + timedelta(days=1)) == [f"{TABLE}_{edge:%Y%m%d}"]


@pytest.mark.usefixtures("no_partitions")
def test_imported_days_are_kept_for_the_retention_from_their_import_on() -> None:
    ship("llm", [llm_row(created_at=NOW - timedelta(days=900))])
    Shipment.objects.all().delete()
    assert drop_expired(NOW) == []
    age(days=89)
    assert drop_expired(NOW) == []
    age(days=91)
    assert len(drop_expired(NOW)) == 1


@pytest.mark.usefixtures("no_partitions")
def test_rows_that_are_not_folded_yet_are_never_dropped() -> None:
    ship("llm", [llm_row(created_at=OLD)])
    marks = list(Shipment.objects.values("shipment", "kind", "first_created_at", "last_created_at", "events"))
    age(days=91)
    Shipment.objects.create(**marks[0])
    assert drop_expired(NOW) == []
    Shipment.objects.update(kind="job")
    assert len(drop_expired(NOW)) == 1


@pytest.mark.usefixtures("no_partitions")
def test_a_partition_in_use_stays_until_the_next_round() -> None:
    ship("llm", [llm_row(created_at=OLD)])
    age(days=91)
    reader = connection.copy()
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {TABLE}")
        assert drop_expired(NOW) == []
        assert not DroppedPartition.objects.exists()
    finally:
        reader.close()
    assert len(drop_expired(NOW)) == 1


@pytest.mark.usefixtures("no_partitions")
def test_no_row_slips_in_between_the_check_and_the_drop() -> None:
    ship("llm", [llm_row(created_at=OLD)])
    age(days=91)
    late = connection.copy()
    results: list[str] = []

    def insert_late(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO telemetry_dropped" in sql:
            try:
                with late.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '50ms'")
                    cursor.execute(f"INSERT INTO {TABLE} SELECT * FROM {TABLE}")
                results.append("stored")
            except OperationalError:
                results.append("refused")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(insert_late):
        assert len(drop_expired(NOW)) == 1
    late.close()
    assert results == ["refused"]


@pytest.mark.usefixtures("no_partitions")
def test_the_task_makes_what_is_missing_and_drops_what_expired() -> None:
    ship("llm", [llm_row(created_at=OLD)])
    age(days=91)
    keep_partitions_task()
    today = datetime.now(UTC).date()
    assert partition_spans(TABLE) == [Span.of_day(today + timedelta(days=n)) for n in range(-1, 8)]
    keep_partitions_task()


@pytest.mark.usefixtures("no_partitions")
def test_migrating_makes_the_partitions_and_back_and_forth_works() -> None:
    call_command("migrate", "telemetry", verbosity=0)
    assert len(partition_spans(TABLE)) == 9
    # A migration of costs builds on these tables and goes back with them, so everything has to come again.
    call_command("migrate", "telemetry", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    ship("llm", [llm_row()])
    assert LlmEvent.objects.count() == 1


def test_names_that_are_not_ours_are_left_alone() -> None:
    assert Span.named(TABLE, f"{TABLE}_archive") is None
    assert Span.named(TABLE, f"{TABLE}_20261322") is None
    assert Span.named(TABLE, f"{TABLE}_202602") == Span(date(2026, 2, 1), date(2026, 3, 1))
