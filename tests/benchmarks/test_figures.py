"""The list of figures and their verdicts, and what happens to one that cannot be measured."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import figures, sandbox
from benchmarks.figures import FIGURES, Bench, Figure, Measurement
from benchmarks.report import Row, as_json, show
from benchmarks.sizes import TINY
from benchmarks.timing import Spread

AT_LEAST = Figure("P90", "no_such_module", "speed", "the peer", "≥", 10.0)
AT_MOST = Figure("P91", "no_such_module", "cost", "the peer", "≤", 10.0)


def found(median: float, *, holds: bool = True) -> Measurement:
    return Measurement(Spread(median, median - 1, median + 1), 5, "a note", holds)


def test_every_figure_has_a_module_of_its_own_that_measures_it() -> None:
    folder = Path(figures.__file__).parent
    modules = [figure.module for figure in FIGURES]
    assert len(set(modules)) == len({figure.id for figure in FIGURES}) == len(FIGURES)
    assert {path.stem for path in folder.glob("p[0-9]*.py")} == set(modules)


@pytest.mark.parametrize(
    ("median", "at_least", "at_most"), [(9.9, False, True), (10, True, True), (10.1, True, False)]
)
def test_the_median_decides_and_reaching_the_goal_is_enough(
    median: float, at_least: bool, at_most: bool
) -> None:
    assert AT_LEAST.passes(found(median)) is at_least
    assert AT_MOST.passes(found(median)) is at_most


def test_a_broken_side_condition_falls_short_whatever_the_ratio() -> None:
    assert not AT_MOST.passes(found(1, holds=False))


def test_a_figure_that_fails_is_told_with_its_reason_and_the_rest_go_on() -> None:
    said: list[str] = []
    rows = command.measure([AT_LEAST, AT_MOST], Bench(TINY, said.append))
    assert [row.figure.id for row in rows] == ["P90", "P91"]
    assert "No module named 'benchmarks.no_such_module'" in rows[0].failure
    record = json.loads(as_json(rows))[1]
    assert record["ratio"] is None
    assert record["pass"] is False
    assert "no_such_module" in record["note"]
    assert any("could not be measured" in line for line in said)


def test_a_run_with_an_unmeasured_figure_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.contextmanager
    def no_services(sizes: object, *, keep: bool) -> Iterator[Path]:
        yield Path()

    monkeypatch.setattr(sandbox, "private_services", no_services)
    monkeypatch.setattr(command, "FIGURES", [AT_LEAST])
    assert command.main(["--only", "P90"]) == 1
    assert "not measured" in capsys.readouterr().out


def test_a_short_figure_is_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    show([Row(AT_LEAST, found(7.5)), Row(AT_MOST, found(7.5))], title="a run")
    shown = capsys.readouterr().out
    assert shown.index("short") < shown.index("pass")
    assert "a note" in shown


def test_too_little_disk_is_one_line_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10**9}))
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **options: pytest.fail("a folder was made"))
    assert command.main(["--full"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "1.0 GB free" in said
    assert "TMPDIR" in said
