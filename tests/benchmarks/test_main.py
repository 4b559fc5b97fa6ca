"""The benchmark as a script sees it, with sizes that take seconds; its ratios then mean nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "benchmarks"]


def bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def folders(place: Path) -> list[Path]:
    return list(place.glob("hp-bench-*"))


@pytest.fixture(scope="module")
def place() -> Any:
    """A short temporary folder that servers under another account can enter."""
    with tempfile.TemporaryDirectory(prefix="hp-place-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def tiny_run(place: Path) -> subprocess.CompletedProcess[str]:
    return bench("--tiny", "--json", TMPDIR=str(place))


@pytest.fixture(scope="module")
def records(tiny_run: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in json.loads(tiny_run.stdout)}


# Figures of short turns choose how many themselves, whatever the size; P16 weighs a page once.
OWN_RUNS = {"P3": 9, "P4": 5, "P9": 7, "P14": 15, "P15": 20, "P16": 1, "P17": 15}


@pytest.mark.parametrize("figure_id", [figure.id for figure in FIGURES])
def test_a_figure_is_measured_from_end_to_end(records: dict[str, dict[str, Any]], figure_id: str) -> None:
    record = records[figure_id]
    assert record["ratio"] is not None, record["note"]
    assert record["ratio"] > 0
    assert record["spread"][0] <= record["ratio"] <= record["spread"][1]
    assert record["runs"] == OWN_RUNS.get(figure_id, 2)


def test_a_whole_run_ends_with_zero_whether_goals_are_reached_or_not(
    tiny_run: subprocess.CompletedProcess[str],
) -> None:
    assert tiny_run.returncode == 0, tiny_run.stderr


def test_json_lists_every_figure_in_order_with_its_goal_and_verdict(
    records: dict[str, dict[str, Any]],
) -> None:
    assert list(records) == [figure.id for figure in FIGURES]
    keys = {"id", "figure", "against", "ratio", "spread", "bound", "goal", "pass", "runs", "note"}
    assert all(set(record) == keys for record in records.values())
    assert all(type(record["pass"]) is bool and record["goal"] > 0 for record in records.values())


@pytest.mark.usefixtures("tiny_run")
def test_a_run_leaves_neither_folder_nor_server(place: Path) -> None:
    assert folders(place) == []
    assert not servers_below(place)


def test_only_prints_a_table_of_the_figures_named_and_keep_leaves_the_data(place: Path) -> None:
    done = bench("--tiny", "--only", "p1", "--keep", TMPDIR=str(place))
    assert done.returncode == 0, done.stderr
    assert "P1" in done.stdout
    assert "≥ 0.6" in done.stdout
    assert "P2" not in done.stdout
    (kept,) = folders(place)
    assert str(kept) in done.stderr
    assert (kept / "postgres" / "PG_VERSION").exists()
    assert not servers_below(place)
    shutil.rmtree(kept)


def hear_interruptions() -> None:
    """Take Ctrl-C as a terminal's programs do: what a script starts in its background is deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("interruption", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_stops_what_it_started(place: Path, interruption: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--only", "P2"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(place)},
        stderr=subprocess.PIPE,
        preexec_fn=hear_interruptions,
    )
    assert process.stderr
    assert b"P2" in process.stderr.readline()
    process.send_signal(interruption)
    process.wait(timeout=120)
    # After kill -9 the guard is what cleans up, and nobody waits for it.
    assert until(lambda: not folders(place) and not servers_below(place), limit_s=120)
    assert process.returncode == (130 if interruption != signal.SIGKILL else -signal.SIGKILL)


@pytest.mark.parametrize(
    "arguments", [["--only", "P99"], ["--only", ""], ["--sideways"], ["--full", "--tiny"], ["--onl", "P1"]]
)
def test_bad_arguments_end_with_two_before_anything_starts(arguments: list[str], place: Path) -> None:
    done = bench(*arguments, TMPDIR=str(place))
    assert done.returncode == 2
    assert "error:" in done.stderr
    assert done.stdout == ""
    assert folders(place) == []


def test_an_unknown_figure_is_answered_with_the_known_ones(place: Path) -> None:
    assert ", ".join(figure.id for figure in FIGURES) in bench("--only", "P99", TMPDIR=str(place)).stderr


def servers_below(place: Path) -> list[int]:
    """Return the processes that work in a folder below the place, as a PostgreSQL server does in its data."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if place in (process / "cwd").readlink().parents:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def until(condition: Any, *, limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
