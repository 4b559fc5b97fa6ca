"""The job that imports an uploaded file: the importer's own batches, each committed with its ledger."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from healthpilot.dataqueue.kinds import Payload, job_kind
from healthpilot.dataqueue.work import JobRefusedError, Step, Work
from healthpilot.imports.models import Upload
from telemetry.importer.errors import ImportRefusedError
from telemetry.importer.outcome import Outcome, Request
from telemetry.importer.run import Importation
from telemetry.importer.zones import zone_named
from telemetry.mapping import MappingError, parse_map

REFUSED_ROWS = "refused-rows.jsonl"


class ImportPayload(Payload):
    """An uploaded file and how its rows become events; see telemetry.mapping for the expressions."""

    upload: str
    kind: Literal["job", "llm"]
    mapped: dict[str, str]
    fixed: dict[str, str]
    timezone: str = ""
    delimiter: str = ","


@job_kind(
    "telemetry.import",
    payload=ImportPayload,
    label="Import of events",
    queue="heavy",
    batch_size=2000,
    asks=False,
)
def import_events(work: Work, asked: ImportPayload) -> Iterator[Step]:
    """Import batch by batch; what was stored before an interruption the ledger knows."""
    upload = Upload.objects.filter(pk=asked.upload).first()
    if not upload or not upload.path.exists():
        raise JobRefusedError("the uploaded file is not there any more: upload it again")
    at: dict[str, int | None] = {"done": 0, "total": None}
    try:
        request = request_of(asked, upload, work.folder, batch_rows=work.batch_size)
        with Importation(request) as importation:
            for outcome in importation.batches(lambda phase, done, total: at.update(done=done, total=total)):
                stored = outcome.earlier_stored + outcome.stored
                refused = outcome.earlier_rejected + outcome.rejected
                yield Step(
                    done=at["done"] or 0,
                    total=at["total"],
                    unit="bytes",
                    checkpoint={"stored": stored},
                    message=f"{stored:,} rows stored, {refused:,} refused",
                )
            work.result.update(result_of(outcome, work.folder))
    except (ImportRefusedError, MappingError) as error:
        raise JobRefusedError(str(error)) from None


def request_of(asked: ImportPayload, upload: Upload, var: Path, *, batch_rows: int) -> Request:
    """Return the importer's request. Raises MappingError or ImportRefusedError."""
    return Request(
        path=str(upload.path),
        name=upload.name,
        kind=asked.kind,
        var=var,
        mapped=parse_map(",".join(f"{target}={source}" for target, source in asked.mapped.items())),
        fixed=asked.fixed,
        zone=zone_named(asked.timezone or None),
        delimiter=asked.delimiter,
        batch_rows=batch_rows,
    )


def result_of(outcome: Outcome, folder: Path) -> dict[str, object]:
    """Return what the job's page shows, the refused rows as a file to download."""
    result: dict[str, object] = {
        "status": outcome.status,
        "rows stored": f"{outcome.earlier_stored + outcome.stored:,}",
        "rows refused": f"{outcome.earlier_rejected + outcome.rejected:,}",
    }
    if outcome.first_created_at and outcome.last_created_at:
        span = (outcome.first_created_at, outcome.last_created_at)
        result["events"] = " to ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in span) + " UTC"
    for number, why in enumerate(outcome.reasons[:5], 1):
        result[f"reason {number}"] = f"{why.rows:,} × {why.reason} (first: line {why.first_line:,})"
    if outcome.rejects and outcome.rejects.exists():
        outcome.rejects.replace(folder / REFUSED_ROWS)
        result["files"] = [{"name": REFUSED_ROWS, "about": "each refused row with line, column and reason"}]
    return result
