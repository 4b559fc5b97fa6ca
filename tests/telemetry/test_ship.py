"""Storing batches of events."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from telemetry.events import EVENT_KINDS, Row
from telemetry.models import JobEvent, LlmEvent, Shipment
from telemetry.ship import ship

NOW = datetime.now(UTC).replace(microsecond=123456)


def llm_row(**values: Any) -> Row:
    event = {
        "user_id": "u1",
        "tier": "pro",
        "llm_model": "m",
        "context_type": "chat",
        "created_at": NOW,
    }
    return EVENT_KINDS["llm"].clean(event | {"input_tokens": 5, "output_tokens": 7} | values, now=NOW)


def job_row(**values: Any) -> Row:
    event = {
        "job_type": "sync",
        "user_id": "u1",
        "tier": "pro",
        "domain": "billing",
        "success": True,
    }
    return EVENT_KINDS["job"].clean(event | {"created_at": NOW} | values, now=NOW)


@pytest.mark.django_db
def test_every_column_comes_back_as_it_was_cleaned() -> None:
    rows = [
        llm_row(
            user_id='<b>"\\N\\t é 🏥 \u202e',
            job_id="\\.",
            error_code="\\N",
            success=False,
            domain="\\",
        ),
        llm_row(cached_input_tokens=5, reasoning_tokens=7, duration_ms=2**33, cache_hit=True),
    ]
    assert ship("llm", rows) == 2
    columns = EVENT_KINDS["llm"].columns
    assert list(LlmEvent.objects.order_by("id").values_list(*columns)) == rows
    jobs = [
        job_row(
            queued_at=NOW - timedelta(days=1),
            started_at=NOW,
            finished_at=NOW,
            rows_read=10**12,
            attempt=3,
        )
    ]
    ship("job", jobs)
    assert list(JobEvent.objects.values_list(*EVENT_KINDS["job"].columns)) == jobs


@pytest.mark.django_db
def test_an_empty_batch_stores_nothing() -> None:
    assert ship("job", []) == 0
    assert not Shipment.objects.exists()


@pytest.mark.django_db
def test_events_of_days_nobody_prepared_are_stored() -> None:
    days = [NOW - timedelta(days=back) for back in (0, 40, 95, 500, 501, 9000)]
    ship("llm", [llm_row(created_at=day) for day in days])
    assert LlmEvent.objects.count() == 6


@pytest.mark.django_db
def test_a_batch_is_stored_whole_or_not_at_all() -> None:
    with pytest.raises(DataError, match="too long"):
        ship("llm", [llm_row(), ("x" * 41, *llm_row()[1:])])
    assert not LlmEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_callers_rollback_takes_the_batch_and_its_mark_along() -> None:
    with transaction.atomic():
        ship("llm", [llm_row()])
        transaction.set_rollback(True)
    assert not LlmEvent.objects.exists()
    assert not Shipment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_partition_that_went_away_behind_our_back_is_made_again() -> None:
    day = NOW - timedelta(days=50)
    ship("llm", [llm_row(created_at=day)])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE telemetry_llm_events_{day:%Y%m%d}")
    ship("llm", [llm_row(created_at=day)])
    assert LlmEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["job", "llm"])
def test_every_way_of_storing_leaves_one_mark_that_counts_the_rows(kind: str) -> None:
    row = {"job": job_row, "llm": llm_row}[kind]
    model: Any = {"job": JobEvent, "llm": LlmEvent}[kind]
    table, columns = EVENT_KINDS[kind].table, EVENT_KINDS[kind].columns
    values = dict(zip(columns, row(), strict=True))
    with transaction.atomic():
        ship(kind, [row(), row(created_at=NOW - timedelta(days=3))])
        model.objects.create(**values)
        model.objects.bulk_create([model(**values), model(**values)])
        with transaction.atomic():
            ship(kind, [row()])
            with transaction.atomic(), connection.cursor() as cursor:
                names = ", ".join(columns)
                cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} LIMIT 2")
        with transaction.atomic():
            ship(kind, [row()])
            transaction.set_rollback(True)
    mark = Shipment.objects.get()
    assert (mark.kind, mark.events) == (kind, 8)
    assert model.objects.filter(shipment=mark.shipment).count() == 8
    assert (mark.first_created_at, mark.last_created_at) == (
        NOW - timedelta(days=3),
        NOW,
    )
