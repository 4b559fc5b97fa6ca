"""A real Celery worker that knows the test kinds, ended with everything it started."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import psutil
from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


class Worker:
    """A worker of the queue on the services and the database of this process; a context manager."""

    def __init__(self, *, concurrency: int = 1, beat: bool = False, **environment: object) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="hp-worker-")
        self.log = Path(self.folder.name) / "log"
        ticks = ["--beat", "--schedule", str(Path(self.folder.name) / "beat")] if beat else []
        command = ["celery", "-A", "healthpilot", "worker", "--include", "tests.healthpilot.dataqueue.kinds"]
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "warning"]
        self.command = [sys.executable, "-m", *command, "--concurrency", str(concurrency), *quiet, *ticks]
        self.environment = os.environ | {"DATABASE_URL": self.database_url(), "HEALTHPILOT_ROLE": "worker"}
        self.environment |= {name: str(value) for name, value in environment.items()}

    def database_url(self) -> str:
        """Return the URL of the database that this process uses, which a test run names itself."""
        named = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        return named.geturl()

    def __enter__(self) -> "Worker":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:
            print(self.log.read_text(errors="replace")[-6000:], file=sys.stderr)
        self.kill()
        self.folder.cleanup()

    def stop(self) -> None:
        """Ask it to end in order and wait for it."""
        self.process.terminate()
        self.process.wait(timeout=60)

    def kill(self) -> None:
        """End the worker and its pool at once, those that stand still as well."""
        try:
            family = [
                *psutil.Process(self.process.pid).children(recursive=True),
                psutil.Process(self.process.pid),
            ]
        except psutil.NoSuchProcess:
            family = []
        for one in family:
            try:
                one.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                pass
        self.process.wait(timeout=30)
