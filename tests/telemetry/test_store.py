"""The thread that stores events: its batches, its connection, its end."""

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from telemetry import store
from telemetry.models import LlmEvent
from telemetry.record import dropped_events, record_llm_event
from tests.telemetry.test_record import CALL

pytestmark = pytest.mark.usefixtures("recording")


def test_a_connection_that_was_lost_meanwhile_is_opened_again() -> None:
    assert record_llm_event(CALL)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert record_llm_event(CALL)
    assert LlmEvent.objects.count() == 2


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
