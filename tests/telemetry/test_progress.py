"""Showing how far long work has come."""

from io import StringIO

import pytest

from telemetry import progress
from telemetry.progress import Meter


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_plain_line_comes_every_few_seconds_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    written = StringIO()
    with Meter(written, unit="bytes") as meter:
        for second in range(12):
            clock[0] = 100.0 + second
            meter("importing", 1_000 * second, 20_000)
    assert written.getvalue() == "importing: 5,000 bytes (25 %)\nimporting: 10,000 bytes (50 %)\n"
    assert progress.PLAIN_EVERY_S == 5.0


def test_a_length_that_is_not_known_has_no_percentage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY_S", 0.0)
    written = StringIO()
    with Meter(written, unit="bytes") as meter:
        meter("reading", 5, None)
    assert written.getvalue() == "reading: 5 bytes\n"


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with Meter(terminal, unit="days") as meter:
        meter("seeding", 3, 10)
    assert "seeding" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")


def test_quiet_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY_S", 0.0)
    for stream in (StringIO(), Terminal()):
        with Meter(stream, unit="bytes", quiet=True) as meter:
            meter("reading", 5, 10)
        assert stream.getvalue() == ""
