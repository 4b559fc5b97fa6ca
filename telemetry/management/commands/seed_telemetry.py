"""`manage.py seed_telemetry`: fills the event tables with synthetic weeks of a product."""

import json
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from telemetry.models import Import
from telemetry.progress import Meter
from telemetry.seed import SeedError, Span, ledger_row, seed


class Command(BaseCommand):
    """Exits 0 when the events are there, made now or before, 1 when it stopped, 2 for bad arguments."""

    help = "Make synthetic job and LLM events of a product with customers in several time zones."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="days up to and with the end (default 30)")
        parser.add_argument("--users", type=int, default=300, help="users at the end (default 300)")
        parser.add_argument("--seed", type=int, default=1, help="another number, other events (default 1)")
        parser.add_argument("--end", metavar="DATE", help="last day, UTC (default today, up to this minute)")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object at the end, nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now, started = datetime.now(UTC), time.monotonic()
        try:
            span = Span(
                options["days"], options["users"], options["seed"], last_day(options["end"], now.date())
            )
            before = ledger_row(span)
            with Meter(self.stderr, unit="days", quiet=options["json"]) as meter:
                row = seed(span, now=now, report=meter)
        except SeedError as error:
            raise CommandError(str(error), returncode=2) from None
        except DatabaseError as error:
            raise CommandError(f"{' '.join(str(error).split())[:300]} (run ./run manage migrate?)") from None
        added, elapsed_s = row.accepted - before.accepted, time.monotonic() - started
        if options["json"]:
            self.stdout.write(as_json_line(span, row, added, elapsed_s))
        else:
            self.stdout.write("\n".join(summary(span, row, added, elapsed_s)))


def last_day(text: str | None, today: date) -> date:
    """Return the date of an --end, today where there is none. Raises SeedError."""
    try:
        end = date.fromisoformat(text) if text else today
    except ValueError:
        raise SeedError(f"--end {text!r}: give a date such as {today}") from None
    if end > today:
        raise SeedError(f"--end {end}: that day has not come yet")
    return end


def summary(span: Span, row: Import, added: int, elapsed_s: float) -> list[str]:
    """Return the lines that say what was made and what to run next."""
    if not added:
        when = f"{row.finished_at:%Y-%m-%d %H:%M} UTC"
        return [f"Already seeded on {when}: {row.accepted:,} events. Nothing was added."]
    first, last = cost_days(span)
    what = f"{added:,} events of {span.users:,} users on {span.days} days up to {span.ends_on}"
    return [f"{what} in {elapsed_s:.1f} s", f"Next: ./run manage rollup_costs --from {first} --to {last}"]


def cost_days(span: Span) -> tuple[date, date]:
    """Return the first and the last day of COST_TIMEZONE that a span touches, none later than today there."""
    zone = ZoneInfo(settings.COST_TIMEZONE)
    begins_at = datetime.combine(span.starts_on, datetime.min.time(), UTC)
    ends_at = begins_at + timedelta(days=span.days)
    return begins_at.astimezone(zone).date(), min(ends_at, datetime.now(UTC)).astimezone(zone).date()


def as_json_line(span: Span, row: Import, added: int, elapsed_s: float) -> str:
    """Return the outcome as one JSON object."""
    said = {"days": span.days, "users": span.users, "seed": span.seed, "end": span.ends_on.isoformat()}
    return json.dumps(said | {"added": added, "events": row.accepted, "elapsed_s": round(elapsed_s, 3)})
