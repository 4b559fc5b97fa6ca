"""`manage.py doctor`: says what is missing or wrong, and how to mend it."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management import BaseCommand, CommandParser

from healthpilot import doctor

SIGNS = {"ok": "✓ ok     ", "warning": "▲ warning", "wrong": "✕ wrong  "}


class Command(BaseCommand):
    """Prints one line for each part. Exit code 1 when something is wrong, 0 with warnings at most."""

    help = "Say what is missing or wrong, and how to mend it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object a line instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for finding in doctor.examine():
            wrong += finding.state == "wrong"
            self.stdout.write(json.dumps(asdict(finding)) if options["json"] else line(finding))
        if wrong:
            raise SystemExit(1)


def line(finding: doctor.Finding) -> str:
    """Return a finding as a line: sign and word, the part, what was seen, and the mend when it is needed."""
    mend = f" → {finding.mend}" if finding.state != "ok" and finding.mend else ""
    return f"{SIGNS[finding.state]} {finding.part}: {finding.seen}{mend}"
