"""Recording as applications use it."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from telemetry.models import JobEvent, LlmEvent
from telemetry.record import dropped_events, record_job_event, record_llm_event, with_job_telemetry
from telemetry.spool.adoption import adopt
from tests.telemetry.shipped import shipped

CALL = {"user_id": "u1", "tier": "pro", "llm_model": "gpt-4o-mini", "context_type": "chat"}
CALL |= {"input_tokens": 5, "output_tokens": 7}  # type: ignore[dict-item] # whole numbers beside texts
JOB = {"job_type": "sync", "user_id": "u1", "tier": "pro", "domain": "billing", "success": True}
CONTEXT = {"user_id": "u1", "tier": "pro", "domain": "billing"}

pytestmark = pytest.mark.usefixtures("recording")


def test_with_job_telemetry_writes_success_and_failure_events() -> None:
    def failing() -> None:
        raise LookupError("no such invoice")

    assert with_job_telemetry("sync", CONTEXT, lambda: "done") == "done"
    with pytest.raises(LookupError, match="no such invoice"):
        with_job_telemetry("sync", CONTEXT, failing)
    success, failure = shipped(JobEvent).order_by("id")
    assert (success.success, success.error_code) == (True, None)
    assert (failure.success, failure.error_code) == (False, "LookupError")
    for event in (success, failure):
        assert (event.job_type, event.user_id, event.tier, event.domain) == ("sync", "u1", "pro", "billing")
        assert event.created_at == event.finished_at
        assert event.attempt == 1


def test_a_recorded_call_is_durable_when_true_is_returned() -> None:
    before = datetime.now(UTC)
    assert record_llm_event(CALL) is True
    event = shipped(LlmEvent).get()
    assert before <= event.created_at <= datetime.now(UTC)
    assert (event.input_tokens, event.output_tokens, event.success) == (5, 7, True)


def test_created_at_travels_with_the_event() -> None:
    then = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    assert record_llm_event({**CALL, "created_at": then})
    assert record_job_event({**JOB, "finished_at": then})
    assert record_job_event({**JOB, "started_at": then, "duration_ms": 0})
    assert shipped(LlmEvent).get().created_at == then
    assert set(shipped(JobEvent).values_list("created_at", flat=True)) == {then}


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
    assert shipped(LlmEvent).count() == 1


def test_an_event_that_breaks_a_rule_is_counted_and_not_raised() -> None:
    hostile: Any
    for hostile in ({**CALL, "user_id": "a\0b"}, {**CALL, "color": 1}, {}, None, 7):
        assert record_llm_event(hostile) is False
    assert dropped_events() == {"refused: user_id": 2, "refused: unknown column": 3}
    assert not shipped(LlmEvent).exists()


def test_a_row_that_the_database_refuses_is_set_aside_and_the_others_are_stored(spool_folder: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE telemetry_llm_events ADD CONSTRAINT odd CHECK (user_id <> 'odd') NOT VALID"
        )
    try:
        for user in ("u1", "odd", "u2", "u3"):
            assert record_llm_event({**CALL, "user_id": user})
        assert sorted(shipped(LlmEvent).values_list("user_id", flat=True)) == ["u1", "u2", "u3"]
        (aside,) = (spool_folder / "aside").glob("*.seg")
        assert "violates check constraint" in aside.with_name(f"{aside.name}.reason").read_text()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE telemetry_llm_events DROP CONSTRAINT odd")
    for _ in range(3):  # moved back it is stored, once
        shutil.copy(aside, spool_folder)
        adopt(lambda shipped: None, settled_s=0)
    assert sorted(shipped(LlmEvent).values_list("user_id", flat=True)) == ["odd", "u1", "u2", "u3"]


def test_recording_works_in_a_running_event_loop() -> None:
    async def host() -> bool:
        return record_llm_event(CALL)

    assert asyncio.run(host()) is True
    assert shipped(LlmEvent).count() == 1
