"""`manage.py governance VERB`: reads, checks and changes the governed documents."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance import history, output, preflight
from governance.commandline import VERBS, add_verbs
from governance.output import Answer
from governance.writing import Refused


class Command(BaseCommand):
    """Runs one verb. Exit code 0 when all is in order, 1 for faults, 2 for a READ CHECK that fails, a change
    that is refused, or bad arguments.
    """

    help = "Read, check and change the governed documents."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_verbs(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        form: output.Format = "json" if options["json"] else options.get("format") or "text"
        try:
            answer = VERBS[options["verb"]](preflight.ROOT, options)
        except Refused as refusal:
            answer = Answer([f"✕ {refusal}"], {"error": str(refusal)}, refusal.findings, 2)
        except (history.UnknownRevision, OSError) as error:
            raise CommandError(str(error), returncode=2) from error
        shown = output.render(answer, form)
        if shown:
            (
                self.stderr
                if answer.code == 2 and form == "text" and "read_check" not in answer.data
                else self.stdout
            ).write(shown)
        if answer.code:
            sys.exit(answer.code)
