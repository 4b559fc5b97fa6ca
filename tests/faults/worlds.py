"""Installations side by side: each a database and a Redis of its own, with worker, beat and watchdog."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.faults.pane import Pane
from tests.receiver import SECRET, Receiver, receiving

ROOT = Path(__file__).resolve().parents[2]
# What the settings call a process that is no daemon of ./run up.
ROLES = {"collector": "command"}
CELERY = [sys.executable, "-m", "celery", "--quiet", "-A"]


@dataclass
class World:
    """One installation; its processes by role."""

    name: str
    environment: dict[str, str]
    folder: Path
    receiver: Receiver
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, role: str, command: list[str]) -> None:
        """Start a process of a role."""
        environment = self.environment | {"HEALTHPILOT_ROLE": ROLES.get(role, role)}
        with open(self.folder / f"{role}.log", "ab") as log:
            self.processes[role] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def start_worker(self) -> None:
        self.start(
            "worker",
            [*CELERY, "healthpilot", "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"],
        )

    def family(self, role: str) -> list[psutil.Process]:
        """Return a role's process and all below it."""
        top = psutil.Process(self.processes[role].pid)
        return [top, *top.children(recursive=True)]

    def stand_still(self, role: str) -> None:
        for process in self.family(role):
            process.suspend()

    def go_on(self, role: str) -> None:
        for process in reversed(self.family(role)):
            process.resume()

    def kill(self, role: str) -> None:
        """End a role's processes as a lack of memory would."""
        for process in self.family(role):
            process.kill()
        self.processes[role].wait(30)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask this installation's database."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as link:
            return link.execute(sql).fetchall()  # type: ignore[arg-type, unused-ignore] # written in the tests

    def pane(self) -> Pane:
        """Return what its pane shows."""
        command = [sys.executable, "-m", "tests.faults.pane"]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-500:]
        return Pane(**json.loads(done.stdout.splitlines()[-1]))


@contextlib.contextmanager
def world(name: str, *, collects_apart: bool = False) -> Iterator[World]:
    """Run an installation.

    collects_apart: a process of its own collects, as a host may have it from systemd, and not beat.
    """
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="hp-w-", ignore_cleanup_errors=True))
        )
        environment = os.environ | {
            "DATABASE_URL": stack.enter_context(database(name)),
            "REDIS_URL": stack.enter_context(cache(folder)),
            "HEALTHPILOT_VAR": str(folder),
            "ALERT_WEBHOOK_URL": receiver.url,
            "ALERT_WEBHOOK_SECRET": SECRET,
            "ALERT_ALLOW_PRIVATE": "1",
        }
        made = World(name, environment, folder, receiver)
        stack.callback(end, made)
        app = "tests.faults.without_collector" if collects_apart else "healthpilot"
        made.start_worker()
        made.start("beat", [*CELERY, app, "beat", "--schedule", f"{folder}/beat", "--pidfile="])
        made.start("watchdog", [sys.executable, "manage.py", "watchdog"])
        if collects_apart:
            made.start("collector", [sys.executable, "manage.py", "collect_metrics", "--loop"])
        yield made


@contextlib.contextmanager
def database(name: str) -> Iterator[str]:
    """Make a copy of the run's migrated database; returns its address."""
    from django.db import connections

    connections.close_all()
    own = os.environ["DATABASE_URL"]
    with psycopg.connect(own, user="postgres", dbname="postgres", autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}" TEMPLATE healthpilot OWNER healthpilot')
    try:
        yield own.replace("/healthpilot?", f"/{name}?")
    finally:
        with psycopg.connect(own, user="postgres", dbname="postgres", autocommit=True) as link:
            link.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def cache(folder: Path) -> Iterator[str]:
    """Run a Valkey; returns its address."""
    from healthpilot import embedded

    home = embedded.Home(folder)
    (folder / "static").mkdir(exist_ok=True)
    embedded.start(home, parts=["valkey"], say=lambda line: None)
    try:
        yield home.redis_url
    finally:
        embedded.stop(home)


def end(ended: World) -> None:
    """Kill what still runs."""
    for process in ended.processes.values():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
