"""The promises in their smallest size, as anybody runs them: in processes and on servers of their own."""

import json
import subprocess
import sys

import pytest

from tests.faults.promises import PROMISES


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_every_promise_holds_in_its_smallest_size() -> None:
    done = run("--tiny", "--json")
    results = json.loads(done.stdout.splitlines()[-1])
    held = {result["id"]: result["held"] for result in results}
    assert held == {promise.id: True for promise in PROMISES}, done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("arguments", [["--only", "G99"], ["--only", ""], ["--frobnicate"]])
def test_an_unknown_promise_or_option_is_refused_by_name(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "error:" in done.stderr
