"""`manage.py import_events`: brings the events of a CSV or JSON Lines file in, once each."""

import argparse
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.core.management.base import DjangoHelpFormatter
from django.db import DatabaseError, OperationalError, ProgrammingError

from telemetry import events
from telemetry.fields import Flag, Instant, Text, Whole
from telemetry.importer.errors import ImportFailedError, ImportRefusedError
from telemetry.importer.outcome import Outcome, Request
from telemetry.importer.run import Importation
from telemetry.importer.zones import zone_named
from telemetry.mapping import LANGUAGE, MappingError, parse_map, parse_set
from telemetry.progress import Meter

EXAMPLES = """\
examples:
  A trace of LLM requests that names neither users nor models (AzureLLMInferenceTrace_conv.csv):
    import_events AzureLLMInferenceTrace_conv.csv --kind llm --timezone UTC
      --map "created_at=TIMESTAMP,input_tokens=ContextTokens,output_tokens=GeneratedTokens"
      --set "user_id=azure-conv,tier=pro,llm_model=gpt-4o-mini,context_type=conversation,success=true"
  Recorded provider calls (llm_calls.csv); what bears the name of a column already is taken as it is:
    import_events llm_calls.csv --kind llm --set "tier=pro"
      --map "user_id=suite,cached_input_tokens=cached_tokens"
  Batch jobs in seconds since 1970 (january_2013.csv):
    import_events january_2013.csv --kind job --set "tier=free,domain=batch"
      --map "job_type=queue,queued_at=unix(submit_unix),started_at=unix(submit_unix+wait_s),
             finished_at=unix(submit_unix+wait_s+run_s),cpu_ms=s(run_s*procs),success=is(status,1)"

Rows that break a rule go to a file with their line, column and reason; the others are stored. The ledger
knows each content under each mapping: the same file again adds nothing, an import that was stopped goes on
where it was, and of a log file that has grown only the new lines are read."""

KINDS = {"job": events.JOB_FIELDS, "llm": events.LLM_FIELDS}
WORDS = {Text: "text", Whole: "whole number", Flag: "true or false", Instant: "time"}
DELIMITERS = {"tab": "\t", "\\t": "\t"}
NO_TABLES = "the database has no tables for this yet: run ./run manage migrate"


class Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the language's description and of the examples as they are."""


class Command(BaseCommand):
    """Exits 0 when the file is in, refused rows or not, 1 when it stopped part-way, 2 for bad arguments."""

    help = "Import job or LLM events from CSV or JSON Lines, plain or gzip, from a file or standard input."
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, formatter_class=Formatter, **options)
        parser.epilog = f"{LANGUAGE}\n\n{target_columns()}\n\n{EXAMPLES}"
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file, or - for standard input")
        parser.add_argument("--kind", required=True, choices=sorted(KINDS), help="what a row is")
        parser.add_argument("--map", default="", metavar="MAP", help="target=expression,… (see below)")
        parser.add_argument("--set", default="", metavar="SET", help="target=value,… for every row")
        parser.add_argument("--timezone", metavar="ZONE", help="zone of times without an offset, such as UTC")
        parser.add_argument("--format", choices=["csv", "jsonl"], help="default: told by the first character")
        parser.add_argument(
            "--delimiter", default=",", help="what separates CSV fields (default ,); tab for tabs"
        )
        parser.add_argument("--rejects", metavar="PATH", help="where refused rows go (default var/rejects/)")
        parser.add_argument("--batch", type=int, default=2000, help="rows a transaction (default 2000)")
        parser.add_argument(
            "--max-rejects", type=int, metavar="N", help="stop after more refused rows than N"
        )
        parser.add_argument("--dry-run", action="store_true", help="check every row and store nothing")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object at the end, nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        as_json, started = options["json"], time.monotonic()
        try:
            with Importation(request_from(options)) as importation:
                if not as_json:
                    self.stdout.write(f"Mapping: {importation.plan.described}")
                    if importation.plan.left_over:
                        self.stdout.write(f"Not used: {', '.join(importation.plan.left_over)[:500]}")
                with Meter(self.stderr, unit="bytes", quiet=as_json) as meter:
                    outcome = importation.run(meter)
        except (ImportRefusedError, MappingError) as error:
            raise CommandError(str(error), returncode=2) from None
        except ImportFailedError as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(said_by_database(error)) from None
        except KeyboardInterrupt:
            raise CommandError(
                "stopped; run the same command again to go on from there", returncode=130
            ) from None
        elapsed_s = time.monotonic() - started
        self.stdout.write(
            as_json_line(outcome, elapsed_s) if as_json else "\n".join(summary(outcome, elapsed_s))
        )
        if outcome.status == "stopped":
            most = options["max_rejects"]
            raise CommandError(
                f"stopped: more than {most:,} rows were refused; mend them or raise --max-rejects"
            )


def request_from(options: dict[str, Any]) -> Request:
    """Return the request that the arguments make. Raises CommandError, ImportRefusedError or MappingError."""
    if options["batch"] < 1 or options["batch"] > 100_000:
        raise ImportRefusedError(f"--batch {options['batch']}: give 1 to 100000")
    if options["max_rejects"] is not None and options["max_rejects"] < 0:
        raise ImportRefusedError(f"--max-rejects {options['max_rejects']}: give 0 or more")
    delimiter = DELIMITERS.get(options["delimiter"], options["delimiter"])
    if len(delimiter) != 1 or delimiter in '\r\n" ':
        raise ImportRefusedError(f"--delimiter {delimiter!r}: give one character, or tab")
    return Request(
        path=options["file"],
        kind=options["kind"],
        var=settings.HEALTHPILOT_VAR,
        mapped=parse_map(options["map"]),
        fixed=parse_set(options["set"]),
        zone=zone_named(options["timezone"]),
        layout=options["format"],
        delimiter=delimiter,
        rejects=Path(options["rejects"]) if options["rejects"] else None,
        batch_rows=options["batch"],
        max_rejects=options["max_rejects"],
        dry_run=options["dry_run"],
    )


def said_by_database(error: DatabaseError) -> str:
    """Return one line for a failure of the database."""
    if isinstance(error, ProgrammingError) and getattr(error.__cause__, "sqlstate", None) == "42P01":
        return NO_TABLES
    reason = " ".join(str(error).split())[:300]
    if isinstance(error, OperationalError):
        return (
            f"the database does not answer: {reason}. Once it does, run this again: it goes on where it was"
        )
    return f"the database refused it: {reason}"


def summary(outcome: Outcome, elapsed_s: float) -> list[str]:
    """Return the lines that say what an import did and what to run next."""
    if outcome.status == "already imported":
        when = f"{outcome.finished_at:%Y-%m-%d %H:%M} UTC"
        return [f"Already imported on {when}: {outcome.earlier_stored:,} events. Nothing was added."]
    stored = "would be stored" if outcome.status == "dry run" else "stored"
    counts = f"{outcome.read:,} rows read, {outcome.stored:,} {stored}, {outcome.rejected:,} refused"
    lines = [f"{counts} in {elapsed_s:.1f} s ({outcome.read / max(elapsed_s, 0.001):,.0f} rows/s)"]
    if outcome.status in ("resumed", "continued"):
        why = (
            "an import that had stopped"
            if outcome.status == "resumed"
            else "the same file when it was shorter"
        )
        then = f"{outcome.earlier_stored:,} stored and {outcome.earlier_rejected:,} refused then"
        lines.append(f"Went on after {why}: {then}")
    if outcome.warning and outcome.stored:
        lines.append(f"Note: {outcome.warning}")
    lines += [f"{why.rows:>9,} × {why.reason} (first: line {why.first_line:,})" for why in outcome.reasons]
    if outcome.rejects:
        lines.append(f"Refused rows: {outcome.rejects}")
    return lines + span_and_next(outcome)


def span_and_next(outcome: Outcome) -> list[str]:
    """Return the time span of what was stored, and the command that makes costs of it."""
    first, last = outcome.first_created_at, outcome.last_created_at
    if not first or not last:
        return []
    lines = [f"Events from {iso(first)} to {iso(last)}"]
    if outcome.status != "dry run":
        zone = ZoneInfo(settings.COST_TIMEZONE)
        days = f"--from {first.astimezone(zone).date()} --to {last.astimezone(zone).date()}"
        lines.append(f"Next: ./run manage rollup_costs {days}")
    return lines


def as_json_line(outcome: Outcome, elapsed_s: float) -> str:
    """Return the outcome as one JSON object."""
    said = vars(outcome) | {
        "reasons": [vars(why) for why in outcome.reasons],
        "rejects": str(outcome.rejects) if outcome.rejects else None,
        "elapsed_s": round(elapsed_s, 3),
    }
    return json.dumps(
        {name: iso(value) if isinstance(value, datetime) else value for name, value in said.items()}
    )


def iso(moment: datetime) -> str:
    """Return a UTC instant as ISO 8601 with Z."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def target_columns() -> str:
    """Return the columns of both kinds of events and what each needs, for the help."""
    lines = []
    for kind, fields in KINDS.items():
        named = ", ".join(f"{name} ({WORDS[type(field)]})" for name, field in fields.items())
        lines.append(f"target columns of {kind} events: {named}")
    return "\n".join(lines)
