"""A signal handler that records or raises, wherever in a record it strikes: no event kept is lost."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from telemetry.models import LlmEvent
from telemetry.record import dropped_events, record_llm_event
from telemetry.spool.process import Process, process
from telemetry.spool.shipper import Shipper
from tests.telemetry.test_record import CALL


class Interruption:
    """Records once more after so many calls and returns: the places where Python runs signal handlers."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.recorded: list[bool] = []

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        self.left -= 1
        if self.left == 0:
            sys.setprofile(None)
            self.recorded.append(record_llm_event(CALL))

    def strikes(self) -> bool:
        """Record under the interruption; returns whether it came before the end."""
        before = sys.getprofile()
        sys.setprofile(self)
        try:
            self.recorded.append(record_llm_event(CALL))
        finally:
            sys.setprofile(before)
        return len(self.recorded) > 1


def first_events_interrupted() -> Iterator[Interruption]:
    """Record the first event of a segment, interrupted one step later each time."""
    after = 0
    while True:
        after += 1
        interruption = Interruption(after)
        if not interruption.strikes():
            return
        yield interruption


@pytest.mark.usefixtures("recording")
def test_an_event_recorded_at_any_step_of_another_is_kept_and_so_is_the_other(
    monkeypatch: pytest.MonkeyPatch, spool_folder: Path
) -> None:
    monkeypatch.setattr(process, "serve", lambda **options: None)
    steps = 0
    for interruption in first_events_interrupted():
        steps += 1
        assert interruption.recorded == [True, True], dropped_events()
        assert len(list(spool_folder.glob("*.lock"))) == 1
        Shipper(process.writer)._ship_own()
        process.writer.close()
        assert list(spool_folder.iterdir()) == []
    assert steps > 100
    process.writer.close()
    assert LlmEvent.objects.count() == 2 * steps


def test_a_shipper_asked_for_while_one_starts_is_not_started_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Process()
    started: list[Shipper] = []

    def start(shipper: Shipper) -> None:
        started.append(shipper)
        one.serve()

    monkeypatch.setattr(Shipper, "start", start)
    assert one.serve() is started[0]
    assert len(started) == 1


class SoftTimeLimit(Exception):  # noqa: N818 - Celery's is named so
    """What a supervisor has raised in a task that takes too long."""


@pytest.mark.parametrize("kind", [SoftTimeLimit, TimeoutError])
@pytest.mark.usefixtures("recording")
def test_what_a_signal_handler_raises_reaches_the_host_and_costs_no_event_that_was_kept(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "serve", lambda **options: None)
    for name in ("ROLL_BYTES", "LOOK_EVERY_BYTES"):  # one segment, which nobody looks after
        monkeypatch.setattr(f"telemetry.spool.writer.{name}", 1 << 30)
    assert record_llm_event(CALL)

    def limit(number: int, frame: object) -> None:
        raise kind

    before = signal.signal(signal.SIGALRM, limit)
    kept, reached = 1, 0
    try:
        for number in range(400):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0001 + number * 1e-7)
                for _ in range(20_000):
                    kept += record_llm_event(CALL)
                pytest.fail("what the handler raised did not come here")
            except kind:
                reached += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert (reached, dropped_events()) == (400, {})
    assert process.writer.recorded >= kept
    ((segment, size),) = process.writer.snapshot()
    assert size == os.fstat(segment.descriptor).st_size
    Shipper(process.writer)._ship_own()
    assert kept <= LlmEvent.objects.count() <= kept + reached
