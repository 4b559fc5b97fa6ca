"""Recording under gunicorn, with and without preloading, through a killed worker and an orderly end."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from telemetry.models import LlmEvent
from telemetry.spool.adoption import adopt
from tests.telemetry import commandline

REQUESTS = 400
GRACE_S = 20


@contextmanager
def gunicorn(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Serve the application by two workers of four threads; yields the arbiter and the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "tests.telemetry.spool.web", "--bind", address, *arguments]
    command += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"]
    process = subprocess.Popen(command, cwd=commandline.ROOT, env=commandline.environment())
    try:
        wait_for(address)
        yield process, f"http://{address}"
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(GRACE_S)


def wait_for(address: str, limit_s: float = 60) -> None:
    host, port = address.split(":")
    end = time.monotonic() + limit_s
    while True:
        with suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        assert time.monotonic() < end, f"nothing answers at {address}"
        time.sleep(0.1)


def asked(url: str) -> tuple[str, int] | None:
    """Return whether the call was kept and by whom; None where the worker died over it."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            kept, pid = answer.read().decode().split()
    except OSError:
        return None
    return kept, int(pid)


@pytest.mark.parametrize("arguments", [[], ["--preload"]], ids=["each worker loads", "preloaded"])
def test_what_was_kept_under_gunicorn_is_stored_once_though_a_worker_is_killed(
    recording: None, spool_folder: Path, arguments: list[str]
) -> None:
    kept: set[str] = set()
    with gunicorn(*arguments) as (arbiter, address), ThreadPoolExecutor(8) as threads:
        first = asked(f"{address}/u0")
        assert first is not None
        for number in range(0, REQUESTS, 40):
            users = [f"u{each}" for each in range(number, number + 40)]
            answers = threads.map(lambda user: asked(f"{address}/{user}"), users)
            kept |= {
                user for user, answer in zip(users, answers, strict=True) if answer and answer[0] == "True"
            }
            if number == REQUESTS // 2:
                os.kill(first[1], signal.SIGKILL)
        assert arbiter.poll() is None
    adopt(lambda shipped: None, settled_s=0)  # what the killed worker left
    stored = list(LlmEvent.objects.exclude(user_id="start").values_list("user_id", flat=True))
    stored.remove("u0")  # asked for twice
    assert len(kept) > REQUESTS - 16
    assert set(stored) >= kept
    assert len(stored) == len(set(stored))
    assert list(spool_folder.glob("*.seg")) == []
