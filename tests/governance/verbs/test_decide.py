"""Appending to docs/DECISIONS.md: prose of any kind, many at once, two writers, a writer that is killed."""

import os
import signal
import subprocess
import sys
import time
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import decisions, documents, preflight
from governance.documents import DECISIONS, TODO
from governance.edit import Draft
from governance.verbs import decide
from governance.writing import LEFTOVER, Refused
from tests.governance.clone import Clone
from tests.governance.repository import Repository

DAY = date(2026, 1, 2)
NOTES = """### Roles — are "groups"
- task: T-0001
#### Context
- it's `one` flag

#### Decision
Three.
#### Consequences
None — so far.

### Another
#### Context
a
#### Decision
b
#### Consequences
c
"""
WRITER = """
import hashlib, sys
from datetime import date
from governance.edit import Draft
from governance.verbs import decide, tasks
root, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for number in range(count):
    decide.decide(root, [Draft(f"{name} {number}", "a", "b" * 50000, "c", date(2026, 1, 2))])
    title = hashlib.sha256(f"{name}{number}".encode()).hexdigest()[:20]
    tasks.add(root, title, {"doc-target": "docs/UI_SPEC.md"}, [])
"""


def draft(**values: str) -> Draft:
    texts: dict[str, Any] = {"title": "A choice", "context": "a", "decision": "b", "consequences": "c"}
    return Draft(**{**texts, **values}, day=DAY)


def entries(repository: Repository) -> list[decisions.Decision]:
    return decisions.parse(repository.text(DECISIONS)).entries


def test_a_decision_is_appended_sealed_and_the_old_bytes_stay(repository: Repository) -> None:
    before = repository.text(DECISIONS)
    answer = decide.decide(repository.path, [draft(), draft(title="Another")])
    assert repository.text(DECISIONS).startswith(before)
    assert [entry.id for entry in entries(repository)] == ["D-0001", "D-0002", "D-0003", "D-0004", "D-0005"]
    assert answer.data["decisions"][1]["seal"] == entries(repository)[-1].seal
    assert repository.ids() == []


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), min_size=1, max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_prose_is_kept_as_it_is_or_refused(repository: Repository, prose: str) -> None:
    try:
        decide.decide(repository.path, [draft(decision=prose)])
    except Refused:
        assert not prose.strip() or prose.startswith(("#", "- "))
    else:
        assert prose.strip() in entries(repository)[-1].body
    assert repository.ids() == []


@pytest.mark.parametrize(
    "prose", ["#### Decision", "- prev: 0", "- seal: 0", "a\n### D-0009 — No", "  ", "a\x1b[0mb", "\u202e"]
)
def test_prose_that_reads_as_grammar_or_cannot_be_seen_is_refused(repository: Repository, prose: str) -> None:
    before = repository.text(DECISIONS)
    with pytest.raises((Refused, documents.Unreadable)):
        decide.decide(repository.path, [draft(context=prose)])
    assert repository.text(DECISIONS) == before


@pytest.mark.parametrize(
    "values", [{"task": "T-0777"}, {"supersedes": "D-0777"}, {"kind": "idea"}, {"title": "  "}]
)
def test_all_entries_are_written_or_none(repository: Repository, values: dict[str, str]) -> None:
    before = repository.text(DECISIONS)
    with pytest.raises(Refused):
        decide.decide(repository.path, [draft(), draft(**values)])
    assert repository.text(DECISIONS) == before


def test_an_entry_written_by_hand_is_sealed(repository: Repository) -> None:
    repository.write(DECISIONS, f"{repository.text(DECISIONS)}\n{draft().body(4)}\n")
    assert repository.ids() == ["W033"]
    with pytest.raises(Refused, match="governance seal"):
        decide.decide(repository.path, [draft()])
    assert decide.seal(repository.path).data == {"sealed": ["D-0004"]}
    assert repository.ids() == []
    assert decide.seal(repository.path).lines == ["Every decision is sealed."]


def test_after_a_merge_ones_own_entries_are_numbered_and_sealed_anew(repository: Repository) -> None:
    base = repository.text(DECISIONS)
    decide.decide(repository.path, [draft(title="Mine")])
    mine = repository.text(DECISIONS)[len(base) :]
    repository.write(DECISIONS, base)
    decide.decide(repository.path, [draft(title="Theirs")])
    landed = repository.text(DECISIONS)
    repository.write(DECISIONS, landed + mine)
    assert set(repository.ids()) == {"E030", "E032"}
    decide.seal(repository.path, base_entries=4)
    assert repository.text(DECISIONS).startswith(landed)
    assert [(one.id, one.title) for one in entries(repository)[3:]] == [
        ("D-0004", "Theirs"),
        ("D-0005", "Mine"),
    ]
    assert repository.ids() == []


def writer(repository: Repository, name: str, count: int) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONPATH": preflight.ROOT}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, repository.path, name, str(count)], env=environment
    )


def test_two_writers_at_once_lose_nothing_and_share_no_id(repository: Repository) -> None:
    both = [writer(repository, name, 8) for name in "pq"]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    titles = [entry.title for entry in entries(repository)[3:]]
    assert sorted(titles) == sorted(f"{name} {number}" for name in "pq" for number in range(8))
    assert len({entry.id for entry in entries(repository)}) == 19
    assert repository.text(TODO).count("\n### T-") == 19
    assert repository.ids() == []


def test_a_writer_killed_at_any_moment_leaves_the_old_file_or_the_new_one(repository: Repository) -> None:
    for round_ in range(6):
        process = writer(repository, "p", 100)
        deadline = time.monotonic() + 20
        before = len(entries(repository))
        while len(entries(repository)) == before and time.monotonic() < deadline:
            assert repository.ids() == []
            time.sleep(0.003 * round_)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert repository.ids() == []
        repository.write(TODO, repository.text(TODO).partition("\n### T-0004")[0])
    decide.decide(repository.path, [draft(title="Afterwards")])
    assert [name for name in os.listdir(repository.root / "docs") if name.startswith(LEFTOVER)] == []


def test_on_the_command_line_from_a_file(clone: Clone) -> None:
    notes = clone.var / "notes.md"
    notes.write_text(NOTES)
    before = clone.text(DECISIONS)
    done = clone.manage("governance", "decide", "--file", str(notes), "--dry-run")
    assert (done.returncode, clone.text(DECISIONS)) == (0, before)
    done = clone.manage("governance", "decide", "--file", str(notes), "--json")
    assert done.returncode == 0, done.stderr
    assert clone.text(DECISIONS).startswith(before)
    assert '— Roles — are "groups"\n' in clone.text(DECISIONS)
    done = clone.manage("governance", "decide", "--title", "No prose")
    assert (done.returncode, clone.text(DECISIONS).count("No prose")) == (2, 0)
    assert "--context" in done.stderr
