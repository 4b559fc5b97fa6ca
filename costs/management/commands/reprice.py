"""`manage.py reprice`: prices closed days by the prices in effect now, after showing the difference."""

import getpass
import json
from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from costs.days import dirty_days, local_today
from costs.management.commands.rollup_costs import day_range, local_day, patiently, refused
from costs.prices import repricing
from costs.prices.repricing import DayDifference, PreviewOutdated, signed
from costs.pricing import plain
from costs.rollup import LeaseLost, RollupBusy
from costs.usage import UsageError, check_zone, fold_pending
from telemetry.progress import Meter

SPAN_DAYS = 3660


class Command(BaseCommand):
    """Shows by how much each closed day changes, to the last digit, then applies it from the partials."""

    help = "Price closed days by the prices in effect now. Without days: all that differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", metavar="D", help="first local day, as 2026-05-31")
        parser.add_argument("--to", dest="last", metavar="D", help="last local day, included")
        parser.add_argument("--dry-run", action="store_true", help="show the difference, change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object per line and day")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = chosen_span(options["first"], options["last"])
        try:
            self.reprice(first, last, options)
        except (PreviewOutdated, UsageError, RollupBusy, LeaseLost) as error:
            raise CommandError(str(error)) from error

    def reprice(self, first: date, last: date, options: dict[str, Any]) -> None:
        """Bring the span up to date, then show and apply its difference."""
        check_zone()
        if not options["dry_run"]:
            fold_pending()
            for dirty in dirty_days(timezone.now()):
                if first <= dirty <= last:
                    patiently(dirty, from_raw=False, dry_run=False)
        days = repricing.preview(first, last)
        if not options["json"]:
            self.show(days)
        if options["dry_run"]:
            for day in days if options["json"] else ():
                self.tell(day, applied=False)
        else:
            self.apply(days, options)

    def apply(self, days: list[DayDifference], options: dict[str, Any]) -> None:
        """Reprice the days, each as it was shown; those that were are in the audit trail whatever happens."""
        done: list[DayDifference] = []
        try:
            with Meter(self.stderr, unit="days", quiet=options["json"]) as meter:
                for day, _ in repricing.apply(days):
                    done.append(day)
                    meter("Repricing", len(done), len(days))
                    if options["json"]:
                        self.tell(day, applied=True)
        finally:
            repricing.keep(done, actor=f"{getpass.getuser()} at the command line")
        if days and not options["json"]:
            self.stdout.write(f"{len(days)} day{'s' * (len(days) != 1)} repriced.")

    def tell(self, day: DayDifference, *, applied: bool) -> None:
        self.stdout.write(json.dumps(day.as_json() | {"applied": applied}))
        self.stdout.flush()

    def show(self, days: list[DayDifference]) -> None:
        """Print each day with the signed difference of its models, and the sum."""
        for day in days:
            models = ", ".join(f"{part.model or 'jobs'} {signed(part.change)}" for part in day.parts)
            self.stdout.write(
                f"{day.on}: ${plain(day.was)} → ${plain(day.now)} ({signed(day.change)}: {models})"
            )
        if days:
            self.stdout.write(
                f"{len(days)} day{'s' * (len(days) != 1)}, difference {signed(repricing.totals(days))} USD."
            )
        else:
            self.stdout.write("Every closed day has the prices in effect: nothing to do.")


def chosen_span(first: str | None, last: str | None) -> tuple[date, date]:
    """Return the span that the arguments name, else the last ten years; raises CommandError."""
    if (first is None) != (last is None):
        raise refused("--from and --to go together: give the first and the last day of the range.")
    if first is None or last is None:
        today = local_today(timezone.now())
        return today - timedelta(days=SPAN_DAYS - 1), today
    days = list(day_range(local_day("--from", first), local_day("--to", last)))
    return days[0], days[-1]
