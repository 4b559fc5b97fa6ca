"""Recording as applications use it."""

import asyncio
import logging
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from telemetry import store
from telemetry.models import JobEvent, LlmEvent
from telemetry.record import dropped_events, record_job_event, record_llm_event, with_job_telemetry

CALL = {"user_id": "u1", "tier": "pro", "llm_model": "gpt-4o-mini", "context_type": "chat"}
CALL |= {"input_tokens": 5, "output_tokens": 7}  # type: ignore[dict-item]
JOB = {"job_type": "sync", "user_id": "u1", "tier": "pro", "domain": "billing", "success": True}
CONTEXT = {"user_id": "u1", "tier": "pro", "domain": "billing"}

pytestmark = pytest.mark.usefixtures("recording")


def test_with_job_telemetry_writes_success_and_failure_events() -> None:
    def failing() -> None:
        raise LookupError("no such invoice")

    assert with_job_telemetry("sync", CONTEXT, lambda: "done") == "done"
    with pytest.raises(LookupError, match="no such invoice"):
        with_job_telemetry("sync", CONTEXT, failing)
    success, failure = JobEvent.objects.order_by("id")
    assert (success.success, success.error_code) == (True, None)
    assert (failure.success, failure.error_code) == (False, "LookupError")
    for event in (success, failure):
        assert (event.job_type, event.user_id, event.tier, event.domain) == ("sync", "u1", "pro", "billing")
        assert event.created_at == event.finished_at
        assert event.attempt == 1


def test_a_recorded_call_is_durable_when_true_is_returned() -> None:
    before = datetime.now(UTC)
    assert record_llm_event(CALL) is True
    event = LlmEvent.objects.get()
    assert before <= event.created_at <= datetime.now(UTC)
    assert (event.input_tokens, event.output_tokens, event.success) == (5, 7, True)


def test_created_at_travels_with_the_event() -> None:
    then = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    assert record_llm_event({**CALL, "created_at": then})
    assert record_job_event({**JOB, "finished_at": then})
    assert record_job_event({**JOB, "started_at": then, "duration_ms": 0})
    assert LlmEvent.objects.get().created_at == then
    assert set(JobEvent.objects.values_list("created_at", flat=True)) == {then}


def test_a_rolled_back_host_loses_no_event_and_keeps_its_own_transaction() -> None:
    with transaction.atomic():
        User.objects.create(username="kept")
        with transaction.atomic():
            User.objects.create(username="lost")
            assert record_llm_event(CALL)
            transaction.set_rollback(True)
        assert record_job_event({**JOB, "attempt": 0}) is False
        assert record_llm_event({**CALL, "user_id": "x" * 41}) is False
    assert list(User.objects.values_list("username", flat=True)) == ["kept"]
    assert LlmEvent.objects.count() == 1


def test_an_event_that_breaks_a_rule_is_counted_and_not_raised() -> None:
    hostile: Any
    for hostile in ({**CALL, "user_id": "a\0b"}, {**CALL, "color": 1}, {}, None, 7):
        assert record_llm_event(hostile) is False
    assert dropped_events() == {"refused: user_id": 2, "refused: unknown column": 3}
    assert not LlmEvent.objects.exists()


def test_a_reason_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="telemetry"):
        for _ in range(20):
            record_llm_event({**CALL, "tier": ""})
            record_llm_event({**CALL, "user_id": ""})
    assert [record.message for record in caplog.records] == [
        "An event was not recorded (1 so far, refused: tier): tier is empty, give 1 to 16 characters",
        "An event was not recorded (1 so far, refused: user_id): user_id is empty, give 1 to 40 characters",
    ]
    assert dropped_events() == {"refused: tier": 20, "refused: user_id": 20}


def test_a_connection_that_was_lost_meanwhile_is_opened_again() -> None:
    assert record_llm_event(CALL)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert record_llm_event(CALL)
    assert LlmEvent.objects.count() == 2


def test_a_database_that_refuses_is_no_error_of_the_host() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE telemetry_llm_events ADD CONSTRAINT closed CHECK (false) NOT VALID")
    try:
        assert record_llm_event(CALL) is False
        assert dropped_events() == {"failed: IntegrityError": 1}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE telemetry_llm_events DROP CONSTRAINT closed")
    assert record_llm_event(CALL) is True


def test_many_threads_record_side_by_side() -> None:
    results: list[bool] = []

    def record() -> None:
        results.extend(record_llm_event(CALL) for _ in range(50))

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 400
    assert LlmEvent.objects.count() == 400


def test_one_bad_row_among_many_waiting_loses_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    store_batch = store.store_batch
    monkeypatch.setattr(store, "store_batch", lambda batch: gate.wait() and store_batch(batch))
    row = (*CALL.values(), *(False, None, True, None, "", "", None, 0, 0, 0, 0, datetime.now(UTC)))
    futures = [store.process.writer.submit("llm", row) for _ in range(3)]
    futures.insert(1, store.process.writer.submit("llm", ("x" * 41, *row[1:])))
    gate.set()
    assert [type(future.exception(5)).__name__ for future in futures] == [
        "NoneType",
        "DataError",
        "NoneType",
        "NoneType",
    ]
    assert LlmEvent.objects.count() == 3


def test_recording_works_in_a_running_event_loop() -> None:
    async def host() -> bool:
        return record_llm_event(CALL)

    assert asyncio.run(host()) is True
    assert LlmEvent.objects.count() == 1


def test_a_forked_child_records_on_a_connection_of_its_own() -> None:
    assert record_llm_event(CALL)
    child = os.fork()
    if child == 0:
        recorded = record_llm_event({**CALL, "user_id": "child"})
        store.close()
        os._exit(0 if recorded else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert record_llm_event(CALL)
    assert sorted(LlmEvent.objects.values_list("user_id", flat=True)) == ["child", "u1", "u1"]


def test_the_writers_thread_ends_when_idle_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "IDLE_S", 0.01)
    for _ in range(3):
        assert record_llm_event(CALL)
        threading.Event().wait(0.1)
        assert not any(thread.name == "telemetry-writer" for thread in threading.enumerate())


def test_an_event_waits_no_longer_than_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PATIENCE_S", 0.05)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE telemetry_llm_events IN ACCESS EXCLUSIVE MODE")
        began = datetime.now(UTC)
        assert record_llm_event(CALL) is False
        assert datetime.now(UTC) - began < timedelta(seconds=2)
    assert dropped_events() == {"failed: TimeoutError": 1}
