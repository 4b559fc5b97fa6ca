"""Imports texts as files, in this process."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telemetry.importer.outcome import Outcome, Request
from telemetry.importer.run import Importation
from telemetry.mapping import parse_map, parse_set

Bring = Callable[..., Outcome]

LLM_SET = "tier=pro,llm_model=m,context_type=chat,success=true"
JOB_SET = "tier=pro,job_type=sync,domain=billing,success=true"


def silent(phase: str, done: int, total: int | None) -> None:
    """Report nothing."""


def request_for(path: Path | str, folder: Path, *, kind: str = "llm", **options: Any) -> Request:
    """Return a request with texts for --map and --set, rejects below the folder."""
    mapped = parse_map(options.pop("map", ""))
    fixed = parse_set(options.pop("set", LLM_SET if kind == "llm" else JOB_SET))
    zone = ZoneInfo(options.pop("timezone")) if "timezone" in options else None
    return Request(
        path=str(path), kind=kind, var=folder / "var", mapped=mapped, fixed=fixed, zone=zone, **options
    )


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """Import a text or bytes as a file named `name` and return the outcome."""

    def bring(content: str | bytes, *, name: str = "events.csv", **options: Any) -> Outcome:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with Importation(request_for(path, tmp_path, **options)) as importation:
            return importation.run(silent)

    return bring


def llm_csv(rows: int, *, first: int = 0) -> str:
    """Return so many good rows after a header, their input tokens counting up."""
    start = datetime(2024, 5, 1, tzinfo=UTC).isoformat()
    lines = [f"{start},u{number % 7},{number},1" for number in range(first, first + rows)]
    return "\n".join(["created_at,user_id,input_tokens,output_tokens", *lines, ""])
