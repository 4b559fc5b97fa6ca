"""A real Celery worker of the shop in a process group of its own, and what it recorded."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
from django.db import connection

from telemetry.drops import drops
from telemetry.models import JobEvent
from telemetry.spool.process import process as recording
from tests.telemetry import commandline

STARTED_WITHIN_S = 60


class Worker:
    """One worker of the shop."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.arguments = arguments
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Worker":
        """Start it and wait until it takes messages."""
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "tests.telemetry.celery_events.app"]
        command += ["worker", "--loglevel", "info", "--without-gossip", "--without-mingle", *self.arguments]
        self.log = Path(os.environ["HEALTHPILOT_VAR"]) / f"worker-{uuid.uuid4().hex[:8]}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=commandline.ROOT,
                env=commandline.environment(PYTHONFAULTHANDLER="1", **self.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_for_log(" ready.", STARTED_WITHIN_S)
        return self

    def wait_for_log(self, words: str, limit_s: float = 30) -> None:
        end = time.monotonic() + limit_s
        while words not in self.log.read_text():
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"no {words!r} within {limit_s} s:\n{self.log.read_text()}"
            time.sleep(0.05)

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children()

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, limit_s: float) -> float:
        """Ask it to end by SIGTERM, wait, and return how long it took; it fails where the limit is passed."""
        began = time.monotonic()
        self.send(signal.SIGTERM)
        self.wait_for_end(limit_s)
        return time.monotonic() - began

    def wait_for_end(self, limit_s: float) -> None:
        assert self.process is not None
        try:
            self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.dump_stacks()
            raise AssertionError(f"it still runs after {limit_s} s:\n{self.log.read_text()}") from None

    def dump_stacks(self) -> None:
        """Have every process of it write to the log where each thread stands, and end."""
        for process in [*self.children(), psutil.Process(self.process.pid if self.process else None)]:
            process.send_signal(signal.SIGABRT)
        time.sleep(2)

    def clear_away(self) -> None:
        """Kill what is left of it, children included."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


def recorded(count: int, limit_s: float = 30, **conditions: object) -> list[JobEvent]:
    """Wait until so many job events are stored, and return them in the order of their end."""
    end = time.monotonic() + limit_s
    while True:
        events = list(JobEvent.objects.filter(**conditions).order_by("created_at", "id"))
        if len(events) >= count:
            assert len(events) == count, [(event.job_type, event.error_code) for event in events]
            return events
        assert time.monotonic() < end, f"{len(events)} of {count} came: {how_it_stands()}"
        time.sleep(0.05)


def how_it_stands() -> str:
    """Return what this process waits for: its shipper, what it dropped, and what PostgreSQL does."""
    shipper = recording.shipper
    waiting = [(one.path.name, one.committed, size) for one, size in recording.writer.snapshot()]
    thread = shipper and (shipper.thread.is_alive(), shipper.failure)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, state, wait_event, pg_blocking_pids(pid), left(query, 200) FROM pg_stat_activity"
            " WHERE datname = current_database()"
        )
        sessions = cursor.fetchall()
    return f"shipper {thread}, waiting {waiting}, dropped {drops.counts()}, sessions {sessions}"
