"""Starts a private PostgreSQL and Valkey for one pytest run, before Django's settings are read, and stops
them after it.

With several processes (-n) each has a pair of its own, and the one that hands out the tests has none.

A guard process of its own session does the stopping: it waits for the end of its standard input, which
comes when the run closes it and also when the run is killed, so no server outlives a run.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GUARD = """
import shutil, sys
from pathlib import Path
from healthpilot import embedded
sys.stdin.read()
home = embedded.Home(Path(sys.argv[1]))
embedded.stop(home)
shutil.rmtree(home.var, ignore_errors=True)
"""
guard_key = pytest.StashKey[subprocess.Popen[bytes]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Bring the services up before pytest-django, which reads the settings in this same hook."""
    os.environ.pop("PYTEST_PLUGINS", None)
    if getattr(early_config.known_args_namespace, "numprocesses", None) and not in_worker():
        # The processes of -n read no addopts before the settings are read, but they do read this.
        os.environ["PYTEST_PLUGINS"] = __name__
    elif not {"-h", "--help", "--version", "-V"} & set(early_config.invocation_params.args):
        early_config.stash[guard_key] = start_services()
    return (yield)


def in_worker() -> bool:
    """Say whether this process runs the tests that another one hands out."""
    return "PYTEST_XDIST_WORKER" in os.environ


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the guard stop the services, and wait for it."""
    guard = config.stash.get(guard_key, None)
    if guard and guard.stdin:
        guard.stdin.close()
        guard.wait(timeout=90)


def start_services() -> subprocess.Popen[bytes]:
    """Start the guard, then the pair, and point the environment at it; returns the guard."""
    var = Path(tempfile.mkdtemp(prefix="hp-test-")).resolve()
    command = [sys.executable, "-c", GUARD, str(var)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, start_new_session=True)

    from healthpilot import embedded

    (var / "static").mkdir()
    home = embedded.Home(var)
    embedded.start(home, durable=False, say=lambda line: None)
    os.environ |= {
        "HEALTHPILOT_VAR": str(var),
        "DATABASE_URL": home.database_url,
        "REDIS_URL": home.redis_url,
        "HEALTHPILOT_PLAIN_STATIC": "1",
        # A fault in the documents is what ./run check tells; it must not fail every test that runs a command.
        "HEALTHPILOT_GOVERNANCE": "warn",
    }
    return guard
