"""The notes of attempts at work: written, emptied, read by others, and left behind by the dead."""

import os
import resource
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from telemetry import attempts
from telemetry.attempts import OpenAttempts
from telemetry.models import JobEvent
from telemetry.record import dropped_events, record_job_event
from telemetry.spool.adoption import adopt as spool_adopt
from telemetry.spool.process import process
from telemetry.spool.transfer import Shipped

pytestmark = pytest.mark.usefixtures("recording", "own_notes")

STARTED = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def own_notes(recording: None) -> Iterator[None]:
    attempts.open_attempts.reset()
    yield
    attempts.open_attempts.reset()


def adopt() -> int:
    """Take over what dead processes left in the spool; returns how many events that were."""
    told: list[Shipped] = []
    spool_adopt(told.append, own_stem=process.writer.stem, settled_s=0)
    return sum(shipped.events for shipped in told)


def begun(**changes: Any) -> dict[str, Any]:
    event = {"job_id": "j1", "job_type": "sync", "user_id": "u1", "tier": "pro", "domain": "billing"}
    return {**event, "queued_at": STARTED, "started_at": STARTED, "attempt": 1, **changes}


def files() -> list[Path]:
    return sorted(attempts.folder().glob("*.open"))


def noted(path: Path) -> list[dict[str, Any]]:
    file = os.open(path, os.O_RDONLY)
    try:
        return [event for _, event in attempts.read_slots(file)]
    finally:
        os.close(file)


def left_by_a_killed_process(*events: dict[str, Any], after: Any = None) -> None:
    """Note attempts in a process of their own, do something more there, and kill it."""
    pid = os.fork()
    if pid == 0:
        for event in events:
            attempts.open_attempts.begin(event)
        if after:
            after()
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL


def test_slots_are_emptied_and_used_again() -> None:
    notes = OpenAttempts()
    first, second = notes.begin(begun(job_id="a")), notes.begin(begun(job_id="b"))
    notes.end(first)
    third = notes.begin(begun(job_id="c"))
    assert third == first
    assert {event["job_id"] for event in noted(files()[0])} == {"b", "c"}
    notes.end(second)
    notes.end(third)
    notes.close()
    assert files() == []
    assert notes.begin(begun()) is not None
    notes.reset()


def test_a_shorter_note_leaves_nothing_of_a_longer_one() -> None:
    notes = OpenAttempts()
    slot = notes.begin(begun(user_id="u" * 40))
    attempts.explain("j1", "TimeLimitExceeded")
    notes.end(slot)
    notes.begin(begun(job_id="j", user_id="u"))
    (event,) = noted(files()[0])
    assert (event["user_id"], event["error_code"]) == ("u", "WorkerLost")
    notes.reset()


def test_the_longest_columns_of_any_script_fit() -> None:
    notes = OpenAttempts()
    long = begun(job_id="𒀀" * 40, job_type="𒀀" * 40, user_id='"' * 40, tier="𒀀" * 16, domain="𒀀" * 16)
    assert notes.begin(long) is not None
    assert noted(files()[0])[0]["user_id"] == '"' * 40
    assert notes.begin(begun(user_id="u" * 2000)) is None
    notes.reset()


def test_a_dead_processes_attempts_are_stored_once_with_their_cause() -> None:
    def explained() -> None:
        attempts.explain("j2", "TimeLimitExceeded")

    left_by_a_killed_process(begun(), begun(job_id="j2", attempt=3, user_id="u2"), after=explained)
    assert adopt() == 2
    assert adopt() == 0
    assert files() == []
    told = JobEvent.objects.order_by("job_id").values_list("job_id", "user_id", "attempt", "error_code")
    assert list(told) == [("j1", "u1", 1, "WorkerLost"), ("j2", "u2", 3, "TimeLimitExceeded")]
    event = JobEvent.objects.get(job_id="j1")
    assert (event.success, event.started_at, event.queue_wait_ms) == (False, STARTED, 0)


def test_what_the_process_stored_just_before_it_died_is_not_told_twice() -> None:
    def ended() -> None:
        assert record_job_event({**begun(), "finished_at": datetime.now(UTC), "success": True})

    left_by_a_killed_process(begun(), begun(started_at=STARTED + timedelta(microseconds=1)), after=ended)
    assert adopt() == 2
    assert JobEvent.objects.filter(success=True).count() == 1
    assert JobEvent.objects.filter(success=False).count() == 1


def test_an_adopter_that_dies_before_it_removes_the_file_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left_by_a_killed_process(begun())
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda self, **options: None)
        assert adopt() == 1
    assert adopt() == 0
    assert JobEvent.objects.count() == 1


def test_the_attempts_of_a_living_process_are_left_alone() -> None:
    notes = OpenAttempts()
    notes.begin(begun())
    assert adopt() == 0
    assert len(files()) == 1
    notes.reset()


def test_a_forked_child_has_notes_of_its_own() -> None:
    attempts.open_attempts.begin(begun())
    left_by_a_killed_process(begun(job_id="child"))
    assert adopt() == 1
    assert JobEvent.objects.get().job_id == "child"


def test_garbage_in_the_folder_harms_nobody() -> None:
    attempts.folder().mkdir(parents=True)
    for number, content in enumerate((b"", b"\xff" * 5000, b"\0\0\0\x02[]", b"\0\0\0\x02{}", b"{}" * 400)):
        (attempts.folder() / f"garbage-{number}.open").write_bytes(content)
    (attempts.folder() / "folder.open").mkdir()
    assert adopt() == 0
    assert not JobEvent.objects.exists()
    assert sum(dropped_events().values()) == 1


def test_a_folder_that_takes_no_file_costs_the_note_and_not_the_job(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    assert attempts.open_attempts.begin(begun()) is None
    assert attempts.open_attempts.begin(begun()) is None
    attempts.open_attempts.end(None)
    attempts.open_attempts.close()


def test_a_full_disk_costs_the_note_and_not_the_job() -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        assert attempts.open_attempts.begin(begun()) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert attempts.open_attempts.begin(begun()) is not None
