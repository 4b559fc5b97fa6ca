"""A small repository with documents in order, to be broken one way at a time."""

import os
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from governance import chain, edit, rules
from governance.decisions import Log
from governance.documents import BACKGROUND, DECISIONS, GOVERNED, TODO
from governance.edit import Draft
from governance.reading import Reading

PROSE = {"context": "A reason.", "decision": "A choice.", "consequences": "A result."}
DAY = date(2026, 1, 2)
BOOTLOADER = "## BOOTLOADER\n\nRead the documents."
TASKS = """# TODO
Current Plan: P-001

### T-0001 — Count what jobs cost
- state: done
- plan: P-001
- type: code
- needs: none
- doc-target: docs/UI_SPEC.md#routes
- accept:
  - [x] A1 check: exit 0
- pre-verified: none
- done: 2026-01-02
  - files: app.py
  - tests: tests/test_app.py => pass
  - stale-time: YES
  - tab-queries: N/A (no tabs)
  - cursor-pagination: YES
  - indexes: YES
  - dataqueue: NO → T-0002
  - virtualization: YES
  - prefetch: YES
  - tests-run: PASS

### T-0002 — Import the month's files
- state: todo
- plan: P-001
- type: code, bigdata
- needs: T-0001
- doc-target: docs/DB_SCHEMA.md#imports
- accept:
  - [ ] A1 check: exit 0
  - [ ] A2 batching: 500 rows a commit
  - [ ] A3 pagination: N/A, a command
  - [ ] A4 dataqueue: one job a file
- pre-verified: none

### T-0003 — Show the figures
- state: todo
- plan: P-001
- type: ui
- needs: none
- doc-target: docs/UI_SPEC.md#figures
- accept:
  - [ ] A1 check: exit 0
  - [ ] A2 playwright: tests/test_app.py::test_page
  - [ ] A3 axe: 0 violations
- pre-verified: none
"""


@dataclass
class Repository:
    """One folder with the governed documents."""

    root: Path

    @property
    def path(self) -> str:
        return str(self.root)

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.text(path)
        assert old in text
        self.write(path, text.replace(old, new, 1))

    def decide(self, **values: Any) -> None:
        """Append a sealed decision without asking the rules."""
        log = Reading(self.path).log or Log()
        draft = Draft(**{"title": "A choice", "day": DAY, **PROSE, **values})
        self.write(DECISIONS, edit.with_entry(self.text(DECISIONS), log, draft)[0])

    def ids(self) -> list[str]:
        """Return what the quick rules find."""
        return [finding.id for finding in rules.check(Reading(self.path))]

    def git(self, *arguments: str) -> str:
        identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.invalid"}
        identity |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.invalid"}
        command = ["git", "-C", self.path, *arguments]
        done = subprocess.run(command, env=os.environ | identity, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything and return the revision."""
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "work")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "state", "--allow-empty")
        return self.git("rev-parse", "HEAD")


def make(root: Path) -> Repository:
    """Return a repository in which nothing is wrong."""
    repository = Repository(root)
    for path in GOVERNED:
        repository.write(path, f"# {path}\n")
    repository.write(TODO, TASKS)
    repository.write(DECISIONS, "# Decisions\n\nAppend-only.\n")
    repository.write(BACKGROUND, f"# Background\n\n{BOOTLOADER}\n")
    repository.write("app.py", "total = 1\n")
    repository.write("tests/test_app.py", "def test_page():\n    pass\n")
    repository.write("pyproject.toml", '[project]\ndependencies = ["Django>=5"]\n')
    repository.decide(task="T-0001", decision="Django is used.", title="First")
    allow = ["allowlist none -> docs/PERFORMANCE.md"]
    approve = [f"bootloader none -> {chain.digest(BOOTLOADER.encode())}"]
    repository.decide(kind="conflict", sets=allow, title="Allow")
    repository.decide(sets=approve, title="Approve")
    return repository
