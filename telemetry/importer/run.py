"""One import from request to outcome: batches of rows, each committed with the ledger's new offset."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from telemetry.importer import ledger
from telemetry.importer.errors import ImportRefusedError
from telemetry.importer.lines import Lines
from telemetry.importer.outcome import Outcome, Request
from telemetry.importer.plan import Plan, make_plan
from telemetry.importer.reading import Reading
from telemetry.importer.records import csv_header
from telemetry.importer.rejects import Rejects
from telemetry.importer.sources import Content, Source, measure, open_source
from telemetry.models import Import

HEAD_BYTES = 1 << 20
NOTHING_YET = {"offset_bytes": 0, "line": 0, "accepted": 0, "rejected": 0}
# Told the phase ('reading', 'importing'), the bytes done and the bytes there are, None while that is unknown.
Report = Callable[[str, int, int | None], None]


class Importation:
    """One file being imported. Use as a context manager, which closes the file."""

    def __init__(self, request: Request) -> None:
        """Open the file and settle the mapping. Raises ImportRefusedError."""
        self.request = request
        self.source: Source = open_source(request.path, var=request.var, name=request.name)
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
        *_, outcome = self.batches(report)
        return outcome

    def batches(self, report: Report) -> Iterator[Outcome]:
        """Import batch by batch and yield what was done so far after each, the whole outcome at last.

        Raises as run does.
        """
        request, mapping = self.request, self.plan.sha256
        marks = [] if request.dry_run else ledger.earlier_sizes(request.kind, mapping)
        content = measure(self.source, marks=marks, report=lambda done: report("reading", done, None))
        key = ledger.Key(request.kind, content.sha256, mapping)
        if request.dry_run:
            yield self._rehearse(key, content, report)
            return
        before = ledger.longest_prefix(key, content)
        chain = [key] if before is None else [key, ledger.Key(key.kind, before.content_sha256, mapping)]
        with ledger.locked(chain):
            row, is_new = ledger.opened(
                key, content, self.source.name, after=ledger.longest_prefix(key, content)
            )
            if row.finished_at and (row.accepted or not row.rejected):
                yield already_imported(row)
                return
            if row.finished_at:
                # Not one row was stored, so reading them all again counts nothing twice.
                ledger.begin_again(row)
                is_new = True
            yield from self._import(key, content, row, is_new, report)

    def _import(
        self, key: ledger.Key, content: Content, row: Import, is_new: bool, report: Report
    ) -> Iterator[Outcome]:
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
            reading = self._reading(content, rejects, outcome, row)
            while not reading.is_finished:
                reading.store(reading.next_batch())
                report("importing", row.offset_bytes, content.size_bytes)
                if request.max_rejects is not None and row.rejected > request.max_rejects:
                    outcome.status = "stopped"
                    yield reading.outcome_so_far()
                    return
                yield reading.outcome_so_far()
        ledger.finish(row)
        yield reading.outcome_so_far()

    def _reading(self, content: Content, rejects: Rejects, outcome: Outcome, row: Import) -> Reading:
        end = content.size_bytes
        return Reading(
            self.request, self.plan, self.source, end=end, rejects=rejects, outcome=outcome, row=row
        )

    def _rehearse(self, key: ledger.Key, content: Content, report: Report) -> Outcome:
        """Read and check everything, and store nothing."""
        outcome = Outcome(status="dry run")
        path = self.request.rejects or default_rejects(self.request, self.source.name, key)
        is_chosen = bool(self.request.rejects)
        with closing(Rejects(path, file=self.source.name, through_line=None, is_chosen=is_chosen)) as rejects:
            reading = self._reading(content, rejects, outcome, Import(**NOTHING_YET))
            while not reading.is_finished:
                outcome.stored += len(reading.next_batch())
                rejects.flush()
                report("checking", reading.lines.offset, content.size_bytes)
        return reading.outcome_so_far()


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
