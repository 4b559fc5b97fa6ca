"""The promises in their smallest size, as anybody runs them: in processes and on servers of their own."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.promises import PROMISES, Promise


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


# These wait for most of their minutes, so they have servers of their own, beside the others.
APART = ("G12", "G11", "G8,G13")


@pytest.fixture(scope="module")
def held() -> dict[str, str]:
    """Try every promise; returns what a broken one said, '' for one that held."""
    apart = {name for names in APART for name in names.split(",")}
    rest = ",".join(promise.id for promise in PROMISES if promise.id not in apart)
    with ThreadPoolExecutor() as beside:
        runs = list(beside.map(lambda ids: run("--tiny", "--json", "--only", ids), [*APART, rest]))
    found = [one for done in runs for one in results(done)]
    assert sorted(one["id"] for one in found) == sorted(promise.id for promise in PROMISES)
    return {one["id"]: "" if one["held"] else one["seen"] for one in found}


def results(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Return what a run printed, whose exit code says the same."""
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == (not all(one["held"] for one in found)), done.stderr
    return found


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.id)
def test_a_promise_holds_in_its_smallest_size(held: dict[str, str], promise: Promise) -> None:
    assert held[promise.id] == ""


@pytest.mark.parametrize("arguments", [["--only", "G99"], ["--only", ""], ["--frobnicate"]])
def test_an_unknown_promise_or_option_is_refused_by_name(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "error:" in done.stderr
