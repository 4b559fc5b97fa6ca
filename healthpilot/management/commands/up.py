"""`manage.py up`: prepares the database, the first account, a demonstration and the static files, then
starts everything.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from healthpilot import commandline, embedded, preparation, processes, supervisor

READY_LIMIT_S = 60.0


class Command(BaseCommand):
    """Starts PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name servers), web, worker, beat and
    the watchdog.

    Exit code 0 when it runs afterwards, also when it ran already; 1 with one line when it cannot; 2 for a
    bad argument.
    """

    help = "Prepare and start everything; ./run stop or Ctrl-C ends it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=port_number, default=8000, help="port of the web server (default 8000)"
        )
        parser.add_argument(
            "--detach", action="store_true", help="return when it answers, and leave it running"
        )
        parser.add_argument(
            "--no-seed", action="store_true", help="do not fill an empty database with a demonstration"
        )

    def handle(self, *args: Any, port: int, detach: bool, no_seed: bool, **options: Any) -> None:
        var = settings.HEALTHPILOT_VAR
        try:
            with embedded.one_at_a_time(var, "up"):
                running = processes.current(var)
                if running:
                    self.stdout.write(f"HealthPilot already runs at {running.url} (./run stop ends it).")
                    return
                self.start(var, port, detach=detach, seed=not no_seed)
        except embedded.EmbeddedError as error:
            raise CommandError(str(error)) from error

    def start(self, var: Path, port: int, *, detach: bool, seed: bool) -> None:
        """Prepare everything, then hand over to the supervisor."""
        bind = os.environ.get("HEALTHPILOT_BIND", "").strip() or "127.0.0.1"
        processes.end(var)
        preparation.require_port(bind, port)
        preparation.require_space(var)
        url = f"http://{preparation.local_address(bind)}:{port}/"
        with embedded.using(embedded.Home(var), parts=commandline.embedded_parts(), say=self.stderr.write):
            welcome = preparation.prepare(seed=seed, say=self.stderr.write)
            self.launch(var, bind, port, url, welcome, detach=detach)

    def launch(self, var: Path, bind: str, port: int, url: str, welcome: str, *, detach: bool) -> None:
        """Start the supervisor; in the foreground it takes this process's place."""
        environment = os.environ | {processes.MARK: str(var), "HEALTHPILOT_VAR": str(var)}
        arguments = ["--bind", bind, "--port", str(port)]
        self.stdout.write(welcome)
        if not detach:
            processes.remember(var, os.getpid(), url)
            self.stdout.write(f"HealthPilot starts at {url} (Ctrl-C ends it).")
            supervisor.launch(arguments, environment, None)
        log = preparation.fresh_log(var)
        child = supervisor.launch(arguments, environment, log)
        assert child is not None
        processes.remember(var, child.pid, url)
        if not preparation.wait_ready(bind, port, child, READY_LIMIT_S):
            problem = (
                "ended at once" if child.poll() is not None else f"gave no page within {READY_LIMIT_S:.0f} s"
            )
            processes.end(var)
            raise CommandError(f"HealthPilot {problem}. {last_words(log)}")
        self.stdout.write(f"HealthPilot runs at {url} (./run stop ends it; log: {log}).")


def port_number(word: str) -> int:
    """Return a port number; argparse turns the error into a usage message and exit code 2."""
    if not word.isdecimal() or not 1 <= int(word) <= 65535:
        raise argparse.ArgumentTypeError(f"{word!r} is no port: choose a number from 1 to 65535")
    return int(word)


def last_words(log: Path) -> str:
    """Return the end of a log on one line, and where to read more."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"Its last line: {lines[-1] if lines else '(none)'} (log: {log})"
