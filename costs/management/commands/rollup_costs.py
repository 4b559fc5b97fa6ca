"""`manage.py rollup_costs`: brings the cost tables of chosen days, or of all that need it, up to date."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from costs.days import dirty_days, due_days, local_today
from costs.hours import note_hours
from costs.rollup import DayCost, FutureDay, LeaseLost, RollupBusy, rollup_costs_for_date
from costs.usage import RawRowsGone, UsageError, adopt_zone, check_zone, fold_pending
from telemetry.progress import Meter

MOST_DAYS = 3660
BUSY_WAIT_S = 60.0
BUSY_STEP_S = 0.2


def refused(message: str) -> CommandError:
    """Return the error for arguments that cannot be used."""
    return CommandError(message, returncode=2)


class Command(BaseCommand):
    """Folds what is pending, then rolls days up: those asked for, or all that changed or are due."""

    help = "Roll usage up into daily costs. Without a choice of days: all that changed or whose close is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--date", metavar="D", help="one local day, as 2026-05-31")
        parser.add_argument(
            "--from", dest="first", metavar="D", help="first local day of a range; needs --to"
        )
        parser.add_argument("--to", dest="last", metavar="D", help="last local day of the range, included")
        parser.add_argument("--days", metavar="N", help="the N local days that end today")
        parser.add_argument("--from-raw", action="store_true", help="rebuild the days' usage from raw events")
        parser.add_argument("--dry-run", action="store_true", help="compute and print, keep nothing")
        parser.add_argument(
            "--rebuild-timezone", action="store_true", help="count everything again by COST_TIMEZONE's days"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object per line and day")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.roll_up(options)
        except (FutureDay, UsageError, RollupBusy, LeaseLost) as error:
            raise CommandError(str(error), returncode=2 if isinstance(error, FutureDay) else 1) from error

    def roll_up(self, options: dict[str, Any]) -> None:
        """Roll up the chosen days, print each, and name those whose raw rows are gone at the end."""
        chosen = chosen_days(options)
        if options["rebuild_timezone"]:
            chosen = adopt_zone()
        check_zone()
        if not options["rebuild_timezone"] and not options["from_raw"]:
            fold_pending()
        days = days_in_need() if chosen is None else chosen
        gone: list[date] = []
        with Meter(self.stderr, unit="days", quiet=options["json"]) as meter:
            for done, day in enumerate(days):
                meter("Rolling up", done, len(days))
                try:
                    self.show(patiently(day, **ways(options)), options)
                except RawRowsGone:
                    gone.append(day)
        if not options["dry_run"]:
            note_hours(timezone.now())
        if gone:
            raise RawRowsGone(gone)
        if not days and not options["json"]:
            self.stdout.write("Every day is up to date.")

    def show(self, cost: DayCost, options: dict[str, Any]) -> None:
        """Print a day at once, so that a reader at the other end of a pipe follows."""
        self.stdout.write(json.dumps(cost.as_json()) if options["json"] else line(cost, options))
        self.stdout.flush()


def ways(options: dict[str, Any]) -> dict[str, bool]:
    """Return how to roll a day up."""
    return {name: options[name] for name in ("from_raw", "dry_run")}


def chosen_days(options: dict[str, Any]) -> list[date] | None:
    """Return the days the arguments name, oldest first; None when they name none. Raises CommandError."""
    day, first, last, days = (options[name] for name in ("date", "first", "last", "days"))
    if sum((day is not None, first is not None or last is not None, days is not None)) > 1:
        raise refused("Choose days by one of --date, --from with --to, or --days, not by several.")
    if options["rebuild_timezone"] and (options["from_raw"] or options["dry_run"] or any((day, first, days))):
        raise refused("--rebuild-timezone takes every day and keeps the result: use it without the others.")
    if (first is None) != (last is None):
        raise refused("--from and --to go together: give the first and the last day of the range.")
    if day is not None:
        return [local_day("--date", day)]
    if days is not None:
        return list(last_days(days))
    return list(day_range(local_day("--from", first), local_day("--to", last))) if first is not None else None


def local_day(option: str, text: str) -> date:
    """Return the day that an option names; raises CommandError for what is no day or has not begun."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise refused(f"{option} {text}: no such day, write it as 2026-05-31.") from error
    today = local_today(timezone.now())
    if day > today:
        raise refused(f"{option} {text}: in the future, the newest day is {today}.")
    return day


def last_days(text: str) -> Iterator[date]:
    """Yield the days that --days names; raises CommandError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6) or not 1 <= int(text) <= MOST_DAYS:
        raise refused(f"--days {text}: write a whole number from 1 to {MOST_DAYS}.")
    today = local_today(timezone.now())
    return day_range(today - timedelta(days=int(text) - 1), today)


def day_range(first: date, last: date) -> Iterator[date]:
    """Return the days from first to last; raises CommandError when they run backwards or are too many."""
    count = (last - first).days + 1
    if count < 1:
        raise refused(f"--from {first} is after --to {last}: swap them.")
    if count > MOST_DAYS:
        raise refused(f"--from {first} --to {last} are {count} days: roll up at most {MOST_DAYS} at once.")
    return (first + timedelta(days=offset) for offset in range(count))


def days_in_need() -> list[date]:
    """Return the days that changed since their rollup and those whose close is due, oldest first."""
    now = timezone.now()
    return sorted({*dirty_days(now), *due_days(now)})


def patiently(day: date, *, from_raw: bool, dry_run: bool) -> DayCost:
    """Roll a day up, waiting a minute at most for another process that has it."""
    give_up_at = time.monotonic() + BUSY_WAIT_S
    while True:
        try:
            return rollup_costs_for_date(day, from_raw=from_raw, dry_run=dry_run)
        except RollupBusy:
            if time.monotonic() >= give_up_at:
                raise
            time.sleep(BUSY_STEP_S)


def line(cost: DayCost, options: dict[str, Any]) -> str:
    """Return a day's figures for reading."""
    total = cost.total
    tokens = f"{total.tokens_in:,} tokens in, {total.tokens_out:,} out"
    counts = f"{cost.users:,} users, {total.jobs:,} jobs, {total.ai_calls:,} calls, {tokens}"
    return f"{cost.date}: ${total.cost_usd:,.6f} ({counts}){' not kept' if options['dry_run'] else ''}"
