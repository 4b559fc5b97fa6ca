"""What the command tells of the spool: of living and dead processes, with the database there or away."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from telemetry.models import LlmEvent
from telemetry.record import record_llm_event
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
