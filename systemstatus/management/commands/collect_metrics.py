"""`manage.py collect_metrics`: collect the current minute, or every minute from now on."""

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import timezone

from systemstatus import coarser
from systemstatus.collector import Collected, collect_snapshot
from systemstatus.lease import LeaseLostError


class Command(BaseCommand):
    """The same pass that beat's tick makes, for hosts that start it where Celery itself is what is down."""

    help = "Run every status probe once and store a snapshot a module; --loop does so each minute."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on, at the beginning of every minute")
        parser.add_argument("--json", action="store_true", help="one JSON object a pass")

    def handle(self, *args: Any, **options: Any) -> None:
        """Collect; in a loop what stands in the way is said, and the next minute is another try."""
        while True:
            try:
                self.say(collect_snapshot(timezone.now()), as_json=options["json"])
                coarser.fill(timezone.now())
            except (DatabaseError, LeaseLostError) as error:
                self.complain(error, loop=options["loop"])
            if not options["loop"]:
                return
            time.sleep(60 - time.time() % 60)

    def say(self, done: Collected, *, as_json: bool) -> None:
        """Tell what one pass did."""
        if as_json:
            self.stdout.write(json.dumps(asdict(done), default=str))
            return
        minute = f"{done.minute:%Y-%m-%d %H:%M} UTC"
        if done.is_busy:
            self.stdout.write(f"{minute}: collected already, or another process is at it")
            return
        bad = [f"{name} {state}" for name, state in done.states.items() if state not in {"ok", "disabled"}]
        told = ", ".join(bad) or "all is well"
        self.stdout.write(f"{minute}: {done.modules} modules in {done.took_ms} ms: {told}")

    def complain(self, error: Exception, *, loop: bool) -> None:
        """Say why a minute is missing; outside a loop that ends the command with code 1."""
        connection.close()
        line = f"This minute was not collected: {' '.join(str(error).split())}"
        if not loop:
            raise CommandError(line) from error
        self.stderr.write(line)
