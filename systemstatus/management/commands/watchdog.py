"""`manage.py watchdog`: watches what watches, every fifteen seconds, from PostgreSQL alone."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from systemstatus import probing
from systemstatus.vitals import watchdog
from systemstatus.vitals.outage import Outage
from systemstatus.vitals.watchdog import Look

# Who looks once does not know since when things should run: whatever is late counts.
LONG_S = 86_400.0


class Command(BaseCommand):
    """A process of its own beside web, worker and beat: none of them is needed to tell of the others."""

    help = (
        "Watch collector, alerts, sender, beat and workers; open alerts and send them where nobody else does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=15, metavar="S", help="seconds between looks (15)")
        parser.add_argument(
            "--once", action="store_true", help="look once and end with 1 where something is bad"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a look")

    def handle(self, *args: Any, every: float, once: bool, json: bool, **options: Any) -> None:
        """Look again and again; what stands in the way is said, and told past the database if it lasts."""
        if not 0 < every <= 60:
            raise CommandError("--every is more than 0 and at most 60 seconds", returncode=2)
        probing.be_brief()
        began, outage = time.monotonic(), Outage()
        while True:
            try:
                done = watchdog.look(LONG_S if once else time.monotonic() - began)
                outage.over()
                self.say(done, as_json=json, is_all=once)
                if once and done.bad:
                    raise CommandError("Something stands still.")
            except DatabaseError as error:
                self.complain(error, outage, once=once)
            if once:
                return
            time.sleep(every)

    def say(self, done: Look, *, as_json: bool, is_all: bool) -> None:
        """Tell what was seen: in a loop only what is bad, for a log of good news hides the bad."""
        if as_json:
            bad = [
                {"rule": one.rule, "target": one.target, "level": one.level, "value": one.value}
                for one in done.bad
            ]
            self.stdout.write(json.dumps({"ages": done.ages, "bad": bad, "sent": done.sent}, default=str))
            return
        for finding in done.bad:
            self.stdout.write(f"{finding.level}: {finding.message}")
        if is_all and not done.bad:
            self.stdout.write("Collector, alerts, sender, beat and workers keep their times.")

    def complain(self, error: DatabaseError, outage: Outage, *, once: bool) -> None:
        """Say that PostgreSQL does not answer."""
        connection.close()
        line = " ".join(str(error).split())
        if once:
            raise CommandError(f"PostgreSQL does not answer: {line}") from error
        self.stderr.write(f"PostgreSQL does not answer: {line}")
        outage.failed(line)
