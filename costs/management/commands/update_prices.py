"""`manage.py update_prices`: brings model prices up to the price library, after showing what would change."""

import getpass
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from costs.days import local_today
from costs.prices import library
from costs.prices.difference import AMOUNTS, Line, Status, compare, write
from costs.prices.setting import PriceConflict
from costs.pricing import plain

NEEDS_YES = "Nothing written. Add --yes to write these prices."
MARKS = {
    Status.NEW: "new",
    Status.CHANGED: "changed",
    Status.ZERO: "zero: not written; --accept-zero takes it",
    Status.GONE: "gone from the library; the price stays",
    Status.KEPT: "set by hand, kept",
    Status.UNKNOWN: "unknown to the library: set it at /admin/cost/prices",
}


class Command(BaseCommand):
    """Shows the difference between the price rows and the library, then writes it if told to."""

    help = "Compare model prices with the price library that is installed, and write what changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="first", metavar="D", help="local day from which prices apply; default today"
        )
        parser.add_argument("--all", action="store_true", help="also models that no event names")
        parser.add_argument("--accept-zero", action="store_true", help="write prices of zero as well")
        parser.add_argument(
            "--replace-kept", action="store_true", help="also replace prices that were set by hand"
        )
        parser.add_argument("--dry-run", action="store_true", help="show the difference, write nothing")
        parser.add_argument("--yes", action="store_true", help="write without asking")
        parser.add_argument("--json", action="store_true", help="print one JSON object per line and price")

    def handle(self, *args: Any, **options: Any) -> None:
        today = local_today(timezone.now())
        first = first_day(options["first"], today)
        lines = list(compare(first, today, every=options["all"], replace_kept=options["replace_kept"]))
        self.show(lines, options)
        wanted = [line for line in lines if is_wanted(line, accept_zero=options["accept_zero"])]
        if options["dry_run"] or not wanted:
            self.say(
                "Nothing to write." if not wanted else f"{len(wanted)} not written (--dry-run).", options
            )
        elif options["yes"] or agreed(len(wanted)):
            self.write(wanted, options)
        else:
            raise CommandError(NEEDS_YES, returncode=2)

    def show(self, lines: list[Line], options: dict[str, Any]) -> None:
        """Print every line that says something, as a table or as JSON."""
        if options["json"]:
            for line in lines:
                self.stdout.write(json.dumps(line.as_json()))
            return
        told = [line for line in lines if line.status is not Status.SAME]
        if told:
            self.stdout.write(
                f"USD per million tokens, {library.source()}: input, cached input, output; per request"
            )
        for line in told:
            self.stdout.write(text(line))
        counts = Counter(line.status.value for line in lines)
        self.stdout.write(
            ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
            or "No model was ever called."
        )

    def write(self, lines: list[Line], options: dict[str, Any]) -> None:
        """Set the prices; one that somebody else sets at the same moment is named and left alone."""
        user = f"update_prices ({getpass.getuser()})"
        refused = []
        for line in lines:
            try:
                write(line, created_by=user)
            except PriceConflict as error:
                refused.append(f"{line.model}: {error}")
        written = len(lines) - len(refused)
        self.say(f"{written} price{'s' * (written != 1)} written.", options)
        if refused:
            raise CommandError(" ".join(refused))
        self.say(
            "Closed days keep theirs: ./run manage reprice --dry-run --from D --to D shows the difference.",
            options,
        )

    def say(self, words: str, options: dict[str, Any]) -> None:
        (self.stderr if options["json"] else self.stdout).write(words)


def first_day(given: str | None, today: date) -> date:
    """Return the day that --from names, today without it; raises CommandError."""
    if given is None:
        return today
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise CommandError(f"--from {given}: no such day, write it as 2026-05-31.", returncode=2) from error


def is_wanted(line: Line, *, accept_zero: bool) -> bool:
    """Say whether a line is to be written."""
    return line.status in (Status.NEW, Status.CHANGED) or (line.status is Status.ZERO and accept_zero)


def agreed(count: int) -> bool:
    """Ask on a terminal; elsewhere nobody can answer."""
    if not sys.stdin.isatty():
        return False
    return input(f"Write {count} prices? [y/N] ").strip().lower() in ("y", "yes")


def text(line: Line) -> str:
    """Return a line of the table."""
    amounts = " / ".join(
        amount_text(line, index, name) for index, name in enumerate(AMOUNTS) if index < 3 or has_request(line)
    )
    words = [f"{line.effective_from}  {line.model:<40} {amounts}", MARKS[line.status]]
    return "  ".join([*words, *([f"({line.note})"] if line.note else [])])


def has_request(line: Line) -> bool:
    return any(price is not None and price.amounts[3] for price in (line.before, line.after))


def amount_text(line: Line, index: int, name: str) -> str:
    """Return one amount, where it changes with the old one and the signed percentage."""
    was, now = (plain(price.amounts[index]) if price else "–" for price in (line.before, line.after))
    if line.before is None or line.after is None or was == now:
        return now if line.after else was
    change = line.changes.get(name)
    return f"{was} → {now}" + (f" ({change:+.1f} %)" if change is not None else "")
