"""A signal handler that records, wherever in a record it strikes: both events are kept, no file is left."""

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
