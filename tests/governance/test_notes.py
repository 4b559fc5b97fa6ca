"""Decisions that came since the last start stand in the audit trail, each once and by who decided."""

from pathlib import Path
from typing import Any

import pytest

from governance import documents, notes, preflight
from systemstatus.models import AuditEntry

pytestmark = pytest.mark.django_db


def written(count: int) -> str:
    one = (
        "### D-{0:04} — Number {0}\n- date: 2026-11-22\n- kind: budget\n- by: ada\n- task: none\n"
        "- supersedes: none\n- sets: budget.api.p95 500 -> {0}\n"
    )
    return "# Decisions\n\n" + "\n".join(one.format(number) for number in range(1, count + 1))


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(preflight, "ROOT", str(tmp_path))
    path = tmp_path / documents.DECISIONS
    path.parent.mkdir()

    def write(count: int) -> None:
        path.write_text(written(count))

    return write


def told() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("target", flat=True))


def test_the_first_start_tells_the_newest_and_the_next_what_came_since(log: Any) -> None:
    log(3)
    notes.note_decisions("start")
    notes.note_decisions("start")
    assert told() == ["D-0003 Number 3"]
    log(5)
    notes.note_decisions("start")
    assert told() == ["D-0003 Number 3", "D-0004 Number 4", "D-0005 Number 5"]
    newest = AuditEntry.objects.latest("id")
    assert (newest.actor, newest.action) == ("ada", "decision")
    assert (newest.after or {})["budget.api.p95"] == "500 -> 5"


def test_without_the_document_nothing_is_told(log: Any) -> None:
    notes.note_decisions("start")
    assert told() == []
