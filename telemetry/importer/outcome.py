"""What an import is asked to do, and what it did."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from telemetry.expressions import Expression
from telemetry.importer.rejects import Reason


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for; `path` '-' is standard input, `name` what it is called where that is not
    its path, `rejects` None the usual place below `var`."""

    path: str
    name: str | None = None
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
