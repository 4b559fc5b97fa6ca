"""`manage.py status_coverage`: what of the project System Status does not see."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from systemstatus.coverage import coverage


class Command(BaseCommand):
    """Lists routes, tasks and outbound clients that no module claims or nothing counts: then ends with 1."""

    help = "Say which routes, tasks and clients no module of System Status claims, or nothing counts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = coverage()
        if options["json"]:
            told = {"share": found.share, "unclaimed": found.unclaimed, "uncounted": found.uncounted}
            self.stdout.write(json.dumps(told))
        else:
            for what, kinds in (("no module claims", found.unclaimed), ("nothing counts", found.uncounted)):
                for kind, names in kinds.items():
                    for name in names:
                        self.stdout.write(f"{what} {kind[:-1]} {name}")
            known = ", ".join(f"{len(names)} {kind}" for kind, names in found.known.items())
            self.stdout.write(f"{found.share:g} % of {known} are watched")
        if not found.is_whole:
            raise CommandError("Claim them in a status.py: routes, tasks or clients of a Module.")
