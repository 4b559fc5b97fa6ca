"""One import from request to outcome: batches of rows, each committed with the ledger's new offset."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction

from telemetry.events import EVENT_KINDS, InvalidEvent, Row
from telemetry.expressions import Expression
from telemetry.importer import ledger
from telemetry.importer.errors import ImportFailedError, ImportRefusedError
from telemetry.importer.lines import MAX_RECORD_LINES, BrokenLineError, Lines
from telemetry.importer.plan import Plan, make_plan
from telemetry.importer.records import Records, csv_header, csv_records, json_records
from telemetry.importer.rejects import Reason, Rejects
from telemetry.importer.sources import BROKEN_GZIP, Content, Source, measure, open_source
from telemetry.models import Import
from telemetry.ship import ship

EXCERPT = 500
ATTEMPTS = 3
HEAD_BYTES = 1 << 20
NOTHING_YET = Import(offset_bytes=0, line=0, accepted=0, rejected=0)
# Told the phase ('reading', 'importing'), the bytes done and the bytes there are, None while that is unknown.
Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for; `path` '-' is standard input, `rejects` None the usual place below `var`."""

    path: str
    kind: str
    var: Path
    mapped: dict[str, Expression]
    fixed: dict[str, str]
    zone: ZoneInfo | None = None
    layout: str | None = None
    delimiter: str = ","
    rejects: Path | None = None
    batch_rows: int = 2000
    max_rejects: int | None = None
    dry_run: bool = False


@dataclass
class Outcome:
    """What one run did: read = stored + rejected. The earlier_ counts are of runs before it."""

    status: str = "imported"
    read: int = 0
    stored: int = 0
    rejected: int = 0
    earlier_stored: int = 0
    earlier_rejected: int = 0
    finished_at: datetime | None = None
    first_created_at: datetime | None = None
    last_created_at: datetime | None = None
    rejects: Path | None = None
    reasons: list[Reason] = field(default_factory=list)
    warning: str = ""


class Importation:
    """One file being imported. Use as a context manager, which closes the file."""

    def __init__(self, request: Request) -> None:
        """Open the file and settle the mapping. Raises ImportRefusedError."""
        self.request = request
        self.source: Source = open_source(request.path, var=request.var)
        try:
            self.plan = plan_for(request, self.source)
        except BaseException:
            self.source.close()
            raise

    def __enter__(self) -> "Importation":
        return self

    def __exit__(self, *error: object) -> None:
        self.source.close()

    def run(self, report: Report) -> Outcome:
        """Import what the ledger does not have yet.

        Raises ImportRefusedError, ImportFailedError or a DatabaseError.
        """
        request, mapping = self.request, self.plan.sha256
        marks = [] if request.dry_run else ledger.earlier_sizes(request.kind, mapping)
        content = measure(self.source, marks=marks, report=lambda done: report("reading", done, None))
        key = ledger.Key(request.kind, content.sha256, mapping)
        if request.dry_run:
            return self._rehearse(key, content, report)
        before = ledger.longest_prefix(key, content)
        chain = [key] if before is None else [key, ledger.Key(key.kind, before.content_sha256, mapping)]
        with ledger.locked(chain):
            row, is_new = ledger.opened(
                key, content, self.source.name, after=ledger.longest_prefix(key, content)
            )
            if row.finished_at and (row.accepted or not row.rejected):
                return already_imported(row)
            if row.finished_at:
                # Not one row was stored, so reading them all again counts nothing twice.
                ledger.begin_again(row)
                is_new = True
            return self._import(key, content, row, is_new, report)

    def _import(
        self, key: ledger.Key, content: Content, row: Import, is_new: bool, report: Report
    ) -> Outcome:
        request = self.request
        outcome = Outcome(earlier_stored=row.accepted, earlier_rejected=row.rejected)
        if row.offset_bytes:
            outcome.status = "continued" if is_new else "resumed"
        elif other := ledger.other_mapping(key):
            day = f"{other.created_at:%Y-%m-%d}"
            outcome.warning = (
                f"the same content was imported on {day} under another mapping: rows in both now count twice"
            )
        path = request.rejects or default_rejects(request, self.source.name, key)
        through_line = None if is_new else row.line
        rejects = Rejects(
            path, file=self.source.name, through_line=through_line, is_chosen=bool(request.rejects)
        )
        with closing(rejects):
            reading = Reading(self, content, rejects, outcome, row=row)
            while not reading.is_finished:
                reading.store(reading.next_batch())
                report("importing", row.offset_bytes, content.size_bytes)
                if request.max_rejects is not None and row.rejected > request.max_rejects:
                    outcome.status = "stopped"
                    return reading.outcome_so_far()
        ledger.finish(row)
        return reading.outcome_so_far()

    def _rehearse(self, key: ledger.Key, content: Content, report: Report) -> Outcome:
        """Read and check everything, and store nothing."""
        outcome = Outcome(status="dry run")
        path = self.request.rejects or default_rejects(self.request, self.source.name, key)
        is_chosen = bool(self.request.rejects)
        with closing(Rejects(path, file=self.source.name, through_line=None, is_chosen=is_chosen)) as rejects:
            reading = Reading(self, content, rejects, outcome, row=NOTHING_YET)
            while not reading.is_finished:
                outcome.stored += len(reading.next_batch())
                rejects.flush()
                report("checking", reading.lines.offset, content.size_bytes)
        return reading.outcome_so_far()


class Reading:
    """The rows of one file from the ledger's offset on: read, converted, checked, stored."""

    def __init__(
        self, importation: Importation, content: Content, rejects: Rejects, outcome: Outcome, *, row: Import
    ) -> None:
        self.request, self.plan, self.source = importation.request, importation.plan, importation.source
        self.rejects, self.outcome, self.row = rejects, outcome, row
        self.kind = EVENT_KINDS[self.plan.kind]
        self.is_finished = False
        self._convert = self.plan.converter()
        self.lines, self.records = self._opened(content)

    def _opened(self, content: Content) -> tuple[Lines, Records]:
        offset, line = self.row.offset_bytes, self.row.line
        begun = offset > 0 and self.source.stream(offset=offset - 1).read(1) != b"\n"
        stream = self.source.stream(offset=offset)
        lines = Lines(stream, end=content.size_bytes, offset=offset, line=line - begun)
        header = self.plan.header
        if header is not None and offset == 0:
            csv_header(lines, self.request.delimiter)
        if begun:
            self._refuse_rest_of_line(lines)
        if header is None:
            return lines, json_records(lines)
        return lines, csv_records(lines, len(header), self.request.delimiter)

    def _refuse_rest_of_line(self, lines: Lines) -> None:
        """Deal with a file that has grown since, in the middle of what was its last line then."""
        lines.taken.clear()
        try:
            rest = next(lines, "")
        except BrokenLineError:
            rest = "?"
        if rest.strip():
            self.lines = lines
            self._refuse("", "the line was imported before it was complete, and has grown since")

    def next_batch(self) -> list[Row]:
        """Return the rows of the next batch that pass every rule; the others are with the rejects."""
        rows: list[Row] = []
        read, now = 0, datetime.now(UTC)
        # Each batch starts alike, so that an import that goes on from a batch reads what a clean run reads.
        self.lines.most_lines = MAX_RECORD_LINES
        convert, clean, add = self._convert, self.kind.clean, rows.append
        try:
            for record in islice(self.records, self.request.batch_rows):
                read += 1
                try:
                    if isinstance(record, BrokenLineError):
                        self._refuse("", str(record))
                    else:
                        add(clean(convert(record), now=now))
                except InvalidEvent as error:
                    self._refuse(error.column, error.reason)
        except (OSError, *BROKEN_GZIP) as error:
            raise ImportFailedError(
                f"{self.source.name} cannot be read on after line {self.lines.line:,}: {error}"
            ) from None
        self.outcome.read += read
        self.is_finished = read < self.request.batch_rows
        self._widen_span(rows)
        return rows

    def store(self, rows: list[Row]) -> None:
        """Bring a batch's rejects to the disk, then commit its rows and the ledger's offset together."""
        row, rejected = self.row, self.outcome.earlier_rejected + self.outcome.rejected
        progress = ledger.Progress(self.lines.offset, self.lines.line, row.accepted + len(rows), rejected)
        self.rejects.flush()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    ship(self.plan.kind, rows)
                    ledger.advance(row, progress)
                break
            except OperationalError:
                # A partition being made or dropped holds its lock for a moment: lock_timeout ended the wait.
                if attempt == ATTEMPTS:
                    raise
                time.sleep(attempt)
        row.offset_bytes, row.line = progress.offset_bytes, progress.line
        row.accepted, row.rejected = progress.accepted, progress.rejected
        self.outcome.stored += len(rows)

    def outcome_so_far(self) -> Outcome:
        outcome = self.outcome
        outcome.reasons = self.rejects.reasons()
        outcome.rejects = self.rejects.path if outcome.rejected or outcome.earlier_rejected else None
        return outcome

    def _refuse(self, column: str, reason: str) -> None:
        line = self.lines.line - len(self.lines.taken) + 1
        self.rejects.add(
            line, column, reason, self.lines.excerpt(EXCERPT), source=self.plan.source_of(column)
        )
        self.outcome.rejected += 1

    def _widen_span(self, rows: list[Row]) -> None:
        if not rows:
            return
        at = self.kind.columns.index("created_at")
        first, last = min(row[at] for row in rows), max(row[at] for row in rows)
        outcome = self.outcome
        outcome.first_created_at = min(first, outcome.first_created_at or first)
        outcome.last_created_at = max(last, outcome.last_created_at or last)


def plan_for(request: Request, source: Source) -> Plan:
    """Return the plan of a request, the format told by the file's first character where it is not stated."""
    head = source.head(HEAD_BYTES)
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    layout = request.layout or ("jsonl" if first == b"{" else "csv")
    if layout == "jsonl" and first == b"[":
        raise ImportRefusedError(f"{source.name} is one JSON array: write an object a line (jq -c '.[]')")
    header = None
    if layout == "csv":
        header = csv_header(Lines(source.stream(), end=HEAD_BYTES), request.delimiter)
        _refuse_wrong_delimiter(source.name, header, request.delimiter)
    described = layout if layout == "jsonl" else f"csv {request.delimiter}"
    return make_plan(request.kind, header, request.mapped, request.fixed, zone=request.zone, layout=described)


def _refuse_wrong_delimiter(name: str, header: list[str], delimiter: str) -> None:
    for other, shown in ((";", "';'"), ("\t", "tab"), ("|", "'|'"), (",", "','")):
        if len(header) == 1 and other != delimiter and other in header[0]:
            raise ImportRefusedError(
                f"{name} has one column, {header[0][:60]!r}: is --delimiter {shown} meant?"
            )


def default_rejects(request: Request, name: str, key: ledger.Key) -> Path:
    """Return where the refused rows of an import go when no place is named."""
    stem = "stdin" if request.path == "-" else Path(name).name
    digest = f"{(key.lock & (2**64 - 1)):016x}"[:8]
    ending = "dry-run.jsonl" if request.dry_run else "jsonl"
    return request.var / "rejects" / f"{stem[:100]}-{digest}.{ending}"


def already_imported(row: Import) -> Outcome:
    """Return the outcome of importing what is there already."""
    return Outcome(
        status="already imported",
        earlier_stored=row.accepted,
        earlier_rejected=row.rejected,
        finished_at=row.finished_at,
    )
