"""A process and its part of the spool: threads, forks, kills, ends."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from telemetry import spool
from telemetry.models import LlmEvent, SpoolSegment
from telemetry.record import close, flush, record_llm_event
from telemetry.spool.adoption import adopt
from telemetry.spool.folder import Hold
from telemetry.spool.process import process
from tests.telemetry.shipped import shipped
from tests.telemetry.test_record import CALL

pytestmark = pytest.mark.usefixtures("recording")


def users() -> list[str]:
    return sorted(shipped(LlmEvent).values_list("user_id", flat=True))


def record(user: str) -> bool:
    return record_llm_event({**CALL, "user_id": user})


def child(work: object) -> int:
    """Fork a child that does the work and is then gone at once, as kill -9 ends it."""
    pid = os.fork()
    if pid == 0:
        try:
            work()  # type: ignore[operator] # whatever is given
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    return pid


def adopt_now() -> None:
    adopt(lambda shipped: None, own_stem=process.writer.stem, settled_s=0)


def test_many_threads_record_side_by_side() -> None:
    results: list[bool] = []

    def many() -> None:
        results.extend(record("u1") for _ in range(50))

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 400
    assert len(users()) == 400


def test_what_a_killed_process_recorded_is_adopted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.spool.shipper.SHIP_EVERY_S", 60)
    child(lambda: [record(f"u{number}") for number in range(3)])
    assert users() == []
    adopt_now()
    adopt_now()
    assert users() == ["u0", "u1", "u2"]


def test_a_living_process_keeps_its_files_and_a_dead_one_leaves_none(
    spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.spool.shipper.SHIP_EVERY_S", 60)
    assert record("u1")
    adopt(lambda shipped: None, settled_s=0)
    assert LlmEvent.objects.count() == 0
    assert close(10)
    assert [path.name for path in spool_folder.iterdir()] == []
    assert LlmEvent.objects.count() == 1


def test_a_forked_child_has_files_of_its_own_and_does_not_keep_the_parents_hold(spool_folder: Path) -> None:
    assert record("parent")
    stem = process.writer.stem
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        recorded = record("child") and process.writer.stem != stem and flush(10)
        os.read(reading, 1)
        os._exit(0 if recorded and close(10) else 1)
    os.close(reading)
    assert record("parent")
    assert Hold.take(spool_folder, stem) is None
    assert close(10)
    hold = Hold.take(spool_folder, stem)  # the child lives on and does not stand for its parent
    assert hold
    hold.let_go(remove=True)
    os.close(writing)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert users() == ["child", "parent", "parent"]


def test_a_connection_that_was_lost_meanwhile_is_opened_again() -> None:
    assert record("u1")
    assert users() == ["u1"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert record("u2")
    assert users() == ["u1", "u2"]


def test_where_no_thread_can_start_events_wait_for_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert record("u1")
        assert flush(0.1) is False
        assert spool.close(0.1) is False
    assert LlmEvent.objects.count() == 0
    adopt_now()
    assert users() == ["u1"]


def test_a_segment_that_was_shipped_is_recognised_when_a_copy_comes_back(spool_folder: Path) -> None:
    assert record("u1")
    (segment,) = spool_folder.glob("*.seg")
    whole = segment.read_bytes()
    assert close(10)
    for name in (segment.name, "restored.1.seg", "restored.2.seg"):
        (spool_folder / name).write_bytes(whole)
    adopt_now()
    assert users() == ["u1"]
    assert list(spool_folder.glob("*.seg")) == []
    assert SpoolSegment.objects.get(segment=segment.name.removesuffix(".seg")).events == 1


def test_a_child_forked_in_the_middle_of_an_adoption_does_not_keep_what_was_being_adopted(
    spool_folder: Path,
) -> None:
    spool_folder.mkdir()
    adopting = Hold.take(spool_folder, "orphan")
    assert adopting
    reading, writing = os.pipe()
    is_there, says_so = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.write(says_so, b"!")
        os.read(reading, 1)
        os._exit(0)
    os.read(is_there, 1)
    adopting.let_go(remove=False)
    again = Hold.take(spool_folder, "orphan")
    for descriptor in (reading, writing, is_there, says_so):
        os.close(descriptor)
    os.waitpid(pid, 0)
    assert again
    again.let_go(remove=True)


def test_a_file_with_nothing_left_in_it_is_not_kept_until_the_database_forgets_it(
    spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.spool.shipper.LEAVE_IDLE_S", 0)
    assert record("u1")
    assert users() == ["u1"]
    for _ in range(100):
        if not list(spool_folder.glob("*.seg")):
            break
        time.sleep(0.05)
    assert list(spool_folder.glob("*.seg")) == []
    assert record("u2")
    assert users() == ["u1", "u2"]
