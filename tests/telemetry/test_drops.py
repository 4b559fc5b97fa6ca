"""Counting what could not be recorded."""

import logging
import os
import threading
from types import SimpleNamespace

import pytest

from telemetry.drops import LOG_EVERY_S, Drops, dropped_events, drops
from telemetry.record import record_llm_event
from tests.telemetry.test_record import CALL


@pytest.fixture(autouse=True)
def no_drops() -> None:
    drops.reset()


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


def test_a_reason_is_logged_again_after_its_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Drops()
    for second in (7.0, 7.0 + LOG_EVERY_S - 1, 7.0 + LOG_EVERY_S):
        monkeypatch.setattr("telemetry.drops.time", SimpleNamespace(monotonic=lambda now=second: now))
        counter.add("refused: tier", "tier is empty")
    assert len(caplog.records) == 2


def test_a_child_process_counts_its_own() -> None:
    drops.add("refused: tier", "")
    child = os.fork()
    if child == 0:
        os._exit(len(dropped_events()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_no_count_is_lost_between_threads() -> None:
    def add() -> None:
        for _ in range(1000):
            drops.add("refused: tier", "")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dropped_events() == {"refused: tier": 4000}
