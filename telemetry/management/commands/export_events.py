"""`manage.py export_events`: raw events into a file, however many there are."""

import argparse
import contextlib
import gzip
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from telemetry.events import EVENT_KINDS
from telemetry.export import export
from telemetry.progress import Meter

BUFFER_BYTES = 1 << 20


class Command(BaseCommand):
    """Exits 0 when the file is whole, 1 when it could not be written, 2 for bad arguments."""

    help = (
        "Write raw events as CSV or JSON Lines. Days are UTC days of created_at, both included. CSV texts"
        " that a spreadsheet would take for formulas get an apostrophe; for programs take jsonl, which"
        " import_events reads back unchanged."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kind", required=True, choices=sorted(EVENT_KINDS), help="which events")
        parser.add_argument(
            "--from", dest="first", required=True, type=a_day, metavar="DAY", help="first day"
        )
        parser.add_argument("--to", dest="last", type=a_day, metavar="DAY", help="last day (default: today)")
        parser.add_argument("--format", choices=["csv", "jsonl"], default="csv", help="default: csv")
        parser.add_argument("--gzip", action="store_true", help="compress")
        parser.add_argument(
            "-o", "--output", required=True, metavar="FILE", help="where to; - for standard output"
        )
        parser.add_argument("--force", action="store_true", help="replace a file that is there")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object at the end, nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"] or datetime.now(UTC).date()
        if first > last:
            raise CommandError(f"--from {first} is after --to {last}", returncode=2)
        began, to_file = time.monotonic(), options["output"] != "-"
        try:
            with (
                destination(options["output"], force=options["force"]) as raw,
                compressed(raw, options["gzip"]) as stream,
                Meter(self.stderr, unit="events", quiet=options["json"]) as meter,
            ):
                days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
                done = export(
                    EVENT_KINDS[options["kind"]],
                    days,
                    options["format"],
                    stream.write,
                    lambda count: meter("exporting", count, None),
                )
        except DatabaseError as error:
            raise CommandError(
                f"the database does not answer: {' '.join(str(error).split())[:300]}"
            ) from None
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error.strerror or error}") from None
        if to_file:
            self.stdout.write(said(options, done, time.monotonic() - began))


@contextlib.contextmanager
def destination(path: str, *, force: bool) -> Iterator[IO[bytes]]:
    """Give a stream to write to; the file gets its name when it is whole, so that none is ever cut short.

    Raises CommandError where a file is there already.
    """
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if Path(path).exists() and not force:
        raise CommandError(f"{path} is there already: name another file, or --force", returncode=2)
    draft = Path(f"{path}.part")
    try:
        with open(draft, "wb", buffering=BUFFER_BYTES) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def compressed(raw: IO[bytes], wanted: bool) -> Iterator[IO[bytes]]:
    """Give a stream that compresses on the way, where that is wanted."""
    if not wanted:
        yield raw
        return
    with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0) as stream:
        yield cast(IO[bytes], stream)


def said(options: dict[str, Any], done: int, elapsed_s: float) -> str:
    """Return the line that says what was written."""
    if options["json"]:
        return json.dumps({"events": done, "file": options["output"], "elapsed_s": round(elapsed_s, 3)})
    return f"{done:,} {options['kind']} events in {options['output']} ({elapsed_s:.1f} s)"


def a_day(word: str) -> date:
    """Return a day; argparse turns the error into a usage message and exit code 2."""
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no day: write one such as 2026-01-31") from None
