"""What a shipper tells of itself while it works: how much waits, and for how long."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from telemetry.models import LlmEvent
from telemetry.record import record_llm_event
from telemetry.spool import shipper as module
from telemetry.spool import transfer
from telemetry.spool.process import process
from telemetry.spool.shipper import Shipper, Wait
from telemetry.spool.transfer import OffsetMoved, ship_chunk
from tests.telemetry.test_record import CALL

pytestmark = pytest.mark.usefixtures("recording")

Told = Callable[[], dict[str, Any]]


@pytest.fixture
def shipper(monkeypatch: pytest.MonkeyPatch) -> Shipper:
    """A shipper whose thread does not run: the test takes its steps."""
    monkeypatch.setattr(process, "serve", lambda **options: None)
    monkeypatch.setattr("telemetry.spool.status.EVERY_S", 0)
    return Shipper(process.writer)


@pytest.fixture
def told(shipper: Shipper, spool_folder: Path) -> Told:
    def tell() -> dict[str, Any]:
        shipper._tell_status()
        (status,) = spool_folder.glob("*.status")
        found: dict[str, Any] = json.loads(status.read_bytes())
        return found

    return tell


def test_a_process_that_records_without_a_pause_is_not_late(
    shipper: Shipper, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_llm_event(CALL)
    for second in range(100):
        clock = SimpleNamespace(monotonic=lambda now=float(second): now)
        monkeypatch.setattr(module, "time", clock)
        shipper._ship_own()
        record_llm_event(CALL)  # meanwhile, so that something waits whenever it is asked
        status = told()
        assert status["waiting"] == 1
        assert status["oldest_s"] <= 1


def test_what_waits_is_told_for_as_long_as_it_waits() -> None:
    wait = Wait()
    assert wait.seconds(5, 0, now=100) == 0
    assert wait.seconds(9, 0, now=130) == 30
    assert wait.seconds(20, 4, now=160) == 60
    assert wait.seconds(20, 5, now=170) == 70  # the sixth may have been recorded just after the first look
    assert wait.seconds(25, 20, now=180) == 10
    assert wait.seconds(25, 25, now=190) == 0
    assert wait.seconds(26, 25, now=300) == 0


def test_a_commit_whose_answer_was_lost_leaves_nothing_waiting(
    shipper: Shipper, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = transfer.store

    def store_and_lose_the_answer(*arguments: Any) -> Any:
        store(*arguments)
        monkeypatch.setattr(transfer, "store", store)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(transfer, "store", store_and_lose_the_answer)
    assert record_llm_event(CALL)
    shipper._pass()
    assert told()["failure"]
    shipper._pass()
    assert LlmEvent.objects.count() == 1
    status = told()
    assert (status["recorded"], status["shipped"], status["waiting"]) == (1, 1, 0)


def test_that_nothing_can_be_told_does_not_end_the_shipping(
    shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(figures: object) -> None:
        raise ValueError("no figures today")

    monkeypatch.setattr(shipper._status, "tell", refuse)
    monkeypatch.setattr(module, "SHIP_EVERY_S", 0.01)
    shipper.start()
    assert record_llm_event(CALL)
    assert shipper.flush(10)
    assert record_llm_event(CALL)
    assert shipper.flush(10)
    shipper.stop(5)


def test_two_that_ship_the_same_stretch_store_it_once(shipper: Shipper) -> None:
    assert record_llm_event(CALL)
    ((segment, size),) = process.writer.snapshot()
    behind = SimpleNamespace(descriptor=segment.descriptor, committed=segment.start)  # asked before it moved
    shipper._ship_own()
    with pytest.raises(OffsetMoved):
        ship_chunk(behind, segment.layout, size, is_last=False)
    assert behind.committed is None, "it asks again how far the segment is"
    assert ship_chunk(behind, segment.layout, size, is_last=False) is None
    assert LlmEvent.objects.count() == 1


def test_a_pass_adopts_what_a_dead_process_left(shipper: Shipper) -> None:
    pid = os.fork()
    if pid == 0:
        record_llm_event(CALL)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    shipper._pass()
    assert (LlmEvent.objects.count(), shipper.adopted) == (1, 1)


def test_pauses_grow_while_the_database_is_away_and_end_with_it(
    shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    pauses = [shipper._pause_s()]
    for _ in range(12):
        shipper._note_failure(OperationalError("away"))
        pauses.append(shipper._pause_s())
    assert pauses[:6] == [0.5, 1, 2, 4, 8, 15]
    assert pauses[-1] == 15
    shipper._pass()
    assert shipper._pause_s() == 0.5
