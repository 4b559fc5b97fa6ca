"""The rows of one file from the ledger's offset on: read, converted, checked, and stored batch by batch."""

import time
from datetime import UTC, datetime
from itertools import islice

from django.db import OperationalError, transaction

from telemetry.events import EVENT_KINDS, InvalidEvent, Row
from telemetry.importer import ledger
from telemetry.importer.errors import ImportFailedError
from telemetry.importer.lines import MAX_RECORD_LINES, BrokenLineError, Lines
from telemetry.importer.outcome import Outcome, Request
from telemetry.importer.plan import Plan
from telemetry.importer.records import Records, csv_header, csv_records, json_records
from telemetry.importer.rejects import Rejects
from telemetry.importer.sources import BROKEN_GZIP, Source
from telemetry.models import Import
from telemetry.ship import ship

EXCERPT = 500
ATTEMPTS = 3


class Reading:
    """The rows of one file from the ledger's offset on: read, converted, checked, stored."""

    def __init__(
        self,
        request: Request,
        plan: Plan,
        source: Source,
        *,
        end: int,
        rejects: Rejects,
        outcome: Outcome,
        row: Import,
    ) -> None:
        """Go to where `row` had come; `end` is where the content ended when it was measured, in bytes."""
        self.request, self.plan, self.source = request, plan, source
        self.rejects, self.outcome, self.row = rejects, outcome, row
        self.kind = EVENT_KINDS[self.plan.kind]
        self.is_finished = False
        self._convert = self.plan.converter()
        self.lines, self.records = self._opened(end)

    def _opened(self, end: int) -> tuple[Lines, Records]:
        offset, line = self.row.offset_bytes, self.row.line
        begun = offset > 0 and self.source.stream(offset=offset - 1).read(1) != b"\n"
        stream = self.source.stream(offset=offset)
        lines = Lines(stream, end=end, offset=offset, line=line - begun)
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
