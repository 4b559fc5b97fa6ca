"""What the command tells of the spool: of living and dead processes, with the database there or away."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from telemetry.models import LlmEvent
from telemetry.record import close, record_llm_event
from telemetry.spool.adoption import adopt
from telemetry.spool.state import spool_state
from tests.telemetry import commandline
from tests.telemetry.shipped import shipped
from tests.telemetry.test_record import CALL

pytestmark = pytest.mark.usefixtures("recording")
NOWHERE = "postgresql://nobody@/nothing?host=/nonexistent"


def left_by_a_killed_process() -> None:
    pid = os.fork()
    if pid == 0:
        record_llm_event(CALL)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def test_an_empty_spool_is_fine() -> None:
    done = commandline.run("telemetry_status")
    assert done.returncode == 0, done.stderr
    assert "0 events wait" in done.stdout


def test_living_and_dead_processes_are_told_of_without_the_database(
    spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.spool.shipper.ADOPT_EVERY_S", 600)
    monkeypatch.setattr("telemetry.spool.status.EVERY_S", 0)
    assert record_llm_event(CALL)
    assert shipped(LlmEvent).count() == 1
    time.sleep(1.2)
    left_by_a_killed_process()
    (spool_folder / "notes.txt").write_text("mine")
    done = commandline.run("telemetry_status", "--json", DATABASE_URL=NOWHERE)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    alive, dead = sorted(told["processes"], key=lambda one: not one["is_alive"])
    assert (alive["pid"], alive["recorded"], alive["shipped"], alive["waiting"]) == (os.getpid(), 1, 1, 0)
    assert (dead["is_alive"], dead["waiting"]) == (False, 1)
    assert told["foreign"] == ["notes.txt"]


def test_events_that_wait_for_long_are_no_success_and_can_be_shipped(spool_folder: Path) -> None:
    left_by_a_killed_process()
    for path in spool_folder.glob("*.seg"):
        os.utime(path, (time.time() - 90, time.time() - 90))
    assert commandline.run("telemetry_status").returncode == 1
    assert commandline.run("telemetry_status", "--ship", DATABASE_URL=NOWHERE).returncode == 1
    done = commandline.run("telemetry_status", "--ship")
    assert done.returncode == 0, done.stderr
    assert LlmEvent.objects.count() == 1
    assert commandline.run("telemetry_status", "--frobnicate").returncode == 2


def told() -> dict[str, Any]:
    state = spool_state()
    return {"dropped": state.dropped, "fine": state.is_fine}


def wait_until_told(reasons: dict[str, int]) -> None:
    for _ in range(600):
        if told() == {"dropped": reasons, "fine": False}:
            return
        time.sleep(0.05)
    raise AssertionError(told())


def test_a_process_of_which_every_event_was_refused_is_told_of() -> None:
    assert record_llm_event({**CALL, "tier": "x" * 17}) is False
    wait_until_told({"refused: tier": 1})
    done = commandline.run("telemetry_status")
    assert done.returncode == 1
    assert "dropped: 1 refused: tier" in done.stdout


@pytest.mark.parametrize("is_killed", [True, False])
def test_what_a_process_dropped_is_told_for_a_day_after_its_end(
    spool_folder: Path, monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    pid = os.fork()
    if pid == 0:
        record_llm_event(CALL)
        record_llm_event({**CALL, "tier": "x" * 17})
        wait_until_told({"refused: tier": 1})
        if is_killed:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0 if close(10) else 1)
    os.waitpid(pid, 0)
    for _ in range(2):
        adopt(lambda shipped: None, settled_s=0)
    assert told() == {"dropped": {"refused: tier": 1}, "fine": False}
    assert spool_state().waiting == 0
    monkeypatch.setattr("telemetry.spool.status.DROPS_SHOWN_S", 0)
    adopt(lambda shipped: None, settled_s=0)
    assert told() == {"dropped": {}, "fine": True}
    assert list(spool_folder.iterdir()) == []


def test_a_folder_that_takes_no_event_is_not_fine(spool_folder: Path) -> None:
    spool_folder.write_text("in the way")
    done = commandline.run("telemetry_status")
    assert done.returncode == 1
    assert "takes no event now: File exists" in done.stdout
