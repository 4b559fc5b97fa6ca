"""A disk, a folder or a file that takes no event: the host goes on, and what was lost is counted."""

import logging
import os
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from telemetry.models import LlmEvent
from telemetry.record import dropped_events, record_llm_event
from telemetry.spool import state, writer
from telemetry.spool.process import process
from tests.telemetry.shipped import shipped
from tests.telemetry.test_record import CALL


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow over so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


@pytest.fixture
def no_shipping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "serve", lambda **options: None)


def try_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LONGEST_PAUSE_S", 0.0)


@pytest.mark.usefixtures("no_shipping")
def test_a_file_that_may_not_grow_is_followed_by_another(spool_folder: Path) -> None:
    with file_size_limit(4096):
        assert all(record_llm_event(CALL) for _ in range(60))
    assert len(list(spool_folder.glob("*.seg"))) > 1
    assert dropped_events() == {}


@pytest.mark.usefixtures("recording")
def test_no_event_is_torn_or_lost_around_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    try_again_at_once(monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(process, "serve", lambda **options: None)
        with file_size_limit(4096):
            kept = sum(record_llm_event(CALL) for _ in range(60))
        with file_size_limit(100):
            kept += sum(record_llm_event(CALL) for _ in range(5))
        kept += sum(record_llm_event(CALL) for _ in range(5))
    assert kept == 65
    assert dropped_events() == {"spool unusable: EFBIG": 5}
    assert shipped(LlmEvent).count() == 65


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
@pytest.mark.usefixtures("no_shipping")
def test_a_full_disk_is_counted_and_used_again_when_there_is_room(
    spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_again_at_once(monkeypatch)
    spool_folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(spool_folder)], check=False)
    if done.returncode:
        pytest.skip("this system lets nobody mount a small disk")
    try:
        kept = sum(record_llm_event(CALL) for _ in range(1000))
        assert 50 < kept < 1000
        assert dropped_events() == {"spool unusable: ENOSPC": 1000 - kept}
        for path in spool_folder.glob("*.seg"):
            path.unlink()
        process.writer.forget()
        assert record_llm_event(CALL) is True
    finally:
        process.writer.forget()
        subprocess.run(["umount", str(spool_folder)], check=True)


@pytest.mark.usefixtures("no_shipping")
def test_a_folder_that_cannot_be_used_costs_events_but_no_exception(
    spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_again_at_once(monkeypatch)
    spool_folder.write_text("in the way")
    assert record_llm_event(CALL) is False
    assert record_llm_event(CALL) is False
    assert dropped_events() == {"spool unusable: EEXIST": 2}
    spool_folder.unlink()
    assert record_llm_event(CALL) is True


@pytest.mark.usefixtures("recording")
def test_a_folder_that_was_removed_is_made_anew_and_nothing_recorded_is_lost(spool_folder: Path) -> None:
    assert record_llm_event(CALL)
    shutil.rmtree(spool_folder)
    assert shipped(LlmEvent).count() == 1
    process.writer.check_place()
    assert record_llm_event(CALL)
    assert list(spool_folder.glob("*.seg"))
    assert shipped(LlmEvent).count() == 2


@pytest.mark.usefixtures("no_shipping")
def test_beyond_its_limit_the_spool_takes_nothing(spool_folder: Path, settings: Settings) -> None:
    settings.TELEMETRY_SPOOL_MAX_MB = 1
    kept = sum(record_llm_event(CALL) for _ in range(10_000))
    assert 1_000_000 <= sum(path.stat().st_size for path in spool_folder.glob("*.seg")) < 1_600_000
    assert 2_000 < kept < 10_000
    assert dropped_events() == {"spool full": 10_000 - kept}
    (segment, *_) = spool_folder.glob("*.seg")
    segment.unlink()
    process.writer.forget()
    process.writer._retry_at = 0  # a second later
    assert record_llm_event(CALL) is True


@pytest.mark.usefixtures("no_shipping")
def test_the_more_waits_the_larger_a_file_so_that_the_host_keeps_its_descriptors(
    spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROLL_BYTES", 2000)  # a two-thousandth of what it is
    monkeypatch.setattr(writer, "LOOK_EVERY_BYTES", 10**9)  # only where a file is full
    while sum(segment.size for segment in process.writer.segments) < 5_000_000:  # of 10 GB
        assert all(record_llm_event(CALL) for _ in range(1000))
    assert len(process.writer.segments) < 300
    assert max(segment.size for segment in process.writer.segments) < 40_000
    paths = list(spool_folder.glob("*.seg"))
    assert sum(map(state.events_in, paths)) == process.writer.recorded


@pytest.mark.usefixtures("no_shipping")
def test_a_large_file_is_counted_in_pieces(spool_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(record_llm_event(CALL) for _ in range(500))
    (path,) = spool_folder.glob("*.seg")
    with path.open("ab") as file:
        file.write(path.read_bytes()[-50:-20])  # and the torn end of a killed process
    monkeypatch.setattr(state, "CHUNK_BYTES", 4096)
    assert state.events_in(path) == 500


@pytest.mark.usefixtures("no_shipping")
def test_nothing_is_closed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert record_llm_event(CALL)
    closed: list[int] = []
    hold = process.writer.hold
    assert hold
    hold.forget()
    monkeypatch.setattr(os, "close", closed.append)
    hold.forget()
    assert closed == [], "gevent's close raises ValueError for -1, in the middle of a fork"


@pytest.mark.usefixtures("no_shipping")
def test_a_process_that_begins_when_the_spool_is_full_takes_nothing(
    spool_folder: Path, settings: Settings
) -> None:
    settings.TELEMETRY_SPOOL_MAX_MB = 1
    spool_folder.mkdir()
    (spool_folder / "another.1.seg").write_bytes(bytes(1_000_000))
    assert record_llm_event(CALL) is False
    assert dropped_events() == {"spool full": 1}


@pytest.mark.usefixtures("recording")
def test_a_clock_set_back_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    assert record_llm_event(CALL)
    monkeypatch.setattr("time.time_ns", lambda: 1)
    monkeypatch.setattr("time.time", lambda: 1.0)
    process.writer.finish_current()
    assert record_llm_event(CALL)
    assert shipped(LlmEvent).count() == 2


@pytest.mark.usefixtures("recording")
def test_a_signal_handler_that_records_does_not_wait_for_what_it_interrupts() -> None:
    handled: list[bool] = []

    def record_too(number: int, frame: object) -> None:
        handled.append(record_llm_event(CALL))

    before = signal.signal(signal.SIGALRM, record_too)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        recorded = sum(record_llm_event(CALL) for _ in range(3000))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert dropped_events() == {}
    assert recorded == 3000
    assert handled
    assert all(handled)
    assert shipped(LlmEvent).count() == recorded + len(handled)


@pytest.mark.usefixtures("no_shipping")
def test_a_log_handler_that_records_in_another_thread_is_not_waited_for(spool_folder: Path) -> None:
    results: list[bool] = []

    class Recording(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            thread = threading.Thread(target=lambda: results.append(record_llm_event(CALL)), daemon=True)
            thread.start()
            thread.join(5)
            results.append(thread.is_alive())

    assert record_llm_event(CALL)
    shutil.rmtree(spool_folder)
    handler = Recording()
    logging.getLogger("telemetry").addHandler(handler)
    try:
        process.writer.check_place()
    finally:
        logging.getLogger("telemetry").removeHandler(handler)
    assert results == [True, False]
