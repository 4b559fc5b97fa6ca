"""The thread that hands counts on, where none can start."""

import atexit
import threading

import pytest

from telemetry import flushing


def test_where_no_thread_can_start_the_host_goes_on_and_the_next_count_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(atexit, "register", lambda work: work)
    turns = flushing.Turns()
    turns._ended.set()  # its thread, once there is one, ends at once
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        turns.begin()
    started = [turns.thread]
    turns.begin()
    started.append(turns.thread)
    before, after = started
    assert before is None
    assert after is not None
    after.join(10)
    assert not after.is_alive()
