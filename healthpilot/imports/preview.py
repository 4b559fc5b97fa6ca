"""The first rows of an uploaded file, and what a mapping makes of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from telemetry.events import EVENT_KINDS
from telemetry.fields import InvalidEvent
from telemetry.importer.errors import ImportRefusedError
from telemetry.importer.lines import BrokenLineError, Lines
from telemetry.importer.outcome import Request
from telemetry.importer.records import Records, csv_header, csv_records, json_records
from telemetry.importer.run import HEAD_BYTES, Importation
from telemetry.importer.sources import Source, open_source

ROWS = 8
DELIMITERS = (",", ";", "\t", "|")
CELL = 60


@dataclass(frozen=True)
class Preview:
    """How a file begins: csv or jsonl, its columns and a few rows as text, broken ones as their reason."""

    layout: str
    delimiter: str
    header: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Tried:
    """What a mapping makes of the first rows: how many fit, and why the others do not."""

    rows: int
    fit: int
    reasons: list[str]


def preview(path: Path, *, name: str, delimiter: str = "") -> Preview:
    """Return how a file begins. Raises ImportRefusedError for what is no CSV or JSON Lines."""
    source = open_source(str(path), var=path.parent, name=name)
    try:
        head = source.head(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
        first = head.lstrip()[:1]
        if first == b"[":
            raise ImportRefusedError(f"{name} is one JSON array: write an object a line (jq -c '.[]')")
        return of_json(source) if first == b"{" else of_csv(source, delimiter or likely(head))
    finally:
        source.close()


def likely(head: bytes) -> str:
    """Return the delimiter that the first line has most of."""
    line = head.split(b"\n", 1)[0].decode(errors="replace")
    return max(DELIMITERS, key=line.count)


def of_csv(source: Source, delimiter: str) -> Preview:
    lines = Lines(source.stream(), end=HEAD_BYTES)
    header = csv_header(lines, delimiter)
    rows = [shown(record, header) for record in islice(csv_records(lines, len(header), delimiter), ROWS)]
    return Preview("csv", delimiter, header, rows)


def of_json(source: Source) -> Preview:
    found = list(islice(json_records(Lines(source.stream(), end=HEAD_BYTES)), ROWS))
    header = list(dict.fromkeys(key for record in found if isinstance(record, dict) for key in record))
    return Preview("jsonl", ",", header, [shown(record, header) for record in found])


def shown(record: object, header: list[str]) -> list[str]:
    """Return a record's cells as short text."""
    if isinstance(record, BrokenLineError):
        return [f"cannot be read: {record}"]
    cells = [record.get(name, "") for name in header] if isinstance(record, dict) else record
    assert isinstance(cells, list)
    return ["" if cell is None else str(cell)[:CELL] for cell in cells]


def tried(request: Request) -> Tried:
    """Try a mapping on the first rows. Raises ImportRefusedError where no row could ever fit."""
    with Importation(request) as importation:
        plan = importation.plan
        lines = Lines(importation.source.stream(), end=HEAD_BYTES)
        records: Records
        if plan.header is None:
            records = json_records(lines)
        else:
            csv_header(lines, request.delimiter)
            records = csv_records(lines, len(plan.header), request.delimiter)
        convert, clean, now = plan.converter(), EVENT_KINDS[plan.kind].clean, datetime.now(UTC)
        count, reasons = 0, []
        for record in islice(records, ROWS):
            count += 1
            try:
                if isinstance(record, BrokenLineError):
                    raise record
                clean(convert(record), now=now)
            except (InvalidEvent, BrokenLineError) as error:
                reasons.append(f"Line {lines.line}: {error}")
    return Tried(count, count - len(reasons), reasons)
