"""A copy of the documents that may be broken, with tasks and decisions of its own beside the real ones."""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver

from governance import addresses, budgets, edit
from governance.documents import DECISIONS, GOVERNED, OUTSIDE, TODO
from governance.edit import Draft
from governance.findings import Finding
from governance.history import git
from governance.reading import Reading
from governance.rules.entries import stop_of
from governance.verbs import decide, verify

COPIED = (*GOVERNED, *OUTSIDE, "pyproject.toml")
UI, BIG, DONE, FREE, WAITING = "T-9001", "T-9002", "T-9003", "T-9004", "T-9005"
EVIDENCE = "selftest_evidence.py"
BUDGET = "budget.selftest"
REAL_EVIDENCE = re.compile(r"^  - evidence: .*\n", re.MULTILINE)
CHECKLIST = """  - stale-time: YES
  - tab-queries: N/A (no tabs)
  - cursor-pagination: YES
  - indexes: YES
  - dataqueue: N/A (reads only)
  - virtualization: YES
  - prefetch: NO → T-9004
  - tests-run: PASS
"""


def task(id: str, title: str, plan: str, more: str = "", kind: str = "code", needs: str = "none") -> str:  # noqa: A002 - the word for it
    """Return a task's text with its mandatory fields; `more` stands in place of the acceptance."""
    accept = more or "  - [ ] A1 check: exit 0\n"
    return (
        f"\n### {id} — {title}\n- state: todo\n- plan: {plan}\n- type: {kind}\n- needs: {needs}\n"
        f"- doc-target: docs/UI_SPEC.md#routes\n- accept:\n{accept}- pre-verified: none\n"
    )


class Sandbox:
    """One copy: mutations change it, restore() takes every change back."""

    def __init__(self, root: str, folder: Path) -> None:
        self.root = folder / "copy"
        self.var = folder / "var"
        self.var.mkdir(parents=True)
        self.live: dict[str, str] = {BUDGET: "5"}
        self.patterns: list[URLPattern | URLResolver] = []
        self.more: dict[str, Callable[[], list[Finding]]] = {}
        self.base = ""
        self.copy(root)
        self.prepare()
        self.kept = {path: path.read_bytes() for path in self.files()}

    def copy(self, root: str) -> None:
        """Copy the documents and every place that a task names."""
        reading = Reading(root)
        named = {
            place.replace("::", "#").partition("#")[0]
            for one in (reading.todo.tasks if reading.todo else ())
            for place in (*one.names("pre-verified"), *one.closed_with("files"), *one.closed_with("tests"))
        }
        for path in (*COPIED, *sorted(named)):
            source, target = Path(root) / path, self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                target.mkdir(exist_ok=True)
            elif source.is_file():
                shutil.copyfile(source, target)
            elif path in named:  # gone, which verify says of the real tree; it must not hide what fires here
                target.touch()

    def prepare(self) -> None:
        """Add what the mutations work on, with nothing being done and nothing stopped."""
        self.write(EVIDENCE, "proof = 1\n")
        text = self.text(TODO).replace("- state: doing\n", "- state: todo\n")
        text = REAL_EVIDENCE.sub("", text)  # verify says of the real tree what changed since it was proved
        reading = Reading(str(self.root))
        plan = reading.todo.plan if reading.todo else "P-001"
        proofs = "".join(
            f"  - [ ] A{n} {kind}: holds\n" for n, kind in enumerate(("check", "playwright", "axe"), 1)
        )
        big = "".join(
            f"  - [ ] A{n} {kind}: holds\n"
            for n, kind in enumerate(("batching", "pagination", "dataqueue"), 1)
        )
        text += task(UI, "Selftest interface quartz", plan, proofs, "ui")
        text += task(BIG, "Selftest volume obsidian", plan, big, "bigdata")
        text += task(DONE, "Selftest closing marble", plan, "  - [x] A1 check: exit 0\n").replace(
            "todo", "done"
        ) + (
            f"- done: 2026-01-01\n  - files: {EVIDENCE}\n  - tests: {EVIDENCE} => pass\n"
            f"  - evidence: {EVIDENCE}@{self.mark()}\n{CHECKLIST}"
        )
        text += task(FREE, "Selftest start granite", plan)
        text += task(WAITING, "Selftest wait basalt", plan, needs=FREE)
        self.write(TODO, text)
        self.decide(task=DONE)
        self.decide(kind="budget", task=DONE, sets=[f"{BUDGET} none -> 5"])
        if reading.log and stop_of(reading.log.entries):
            self.decide(kind="resume")

    def mark(self) -> str:
        """Return the digest by which the evidence is known."""
        from governance import evidence

        return evidence.digest(str(self.root), EVIDENCE)[:12]

    def files(self) -> list[Path]:
        """Return every file of the copy but those of git."""
        return [path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts]

    def restore(self) -> None:
        """Take every change back."""
        for path in self.files():
            if path not in self.kept:
                path.unlink()
        for path, content in self.kept.items():
            path.write_bytes(content)
        shutil.rmtree(self.root / ".git", ignore_errors=True)
        shutil.rmtree(self.var)
        self.var.mkdir()
        self.live, self.patterns, self.more, self.base = {BUDGET: "5"}, [], {}, ""

    def text(self, path: str) -> str:
        """Return a file's text."""
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.root / path).write_text(text, encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace text that must be there, at its last occurrence."""
        before, found, after = self.text(path).rpartition(old)
        if not found:
            raise LookupError(f"{path} holds no {old!r}")
        self.write(path, before + new + after)

    def in_task(self, id: str, old: str, new: str) -> None:  # noqa: A002 - the word for it
        """Replace text within one task."""
        before, heading, rest = self.text(TODO).partition(f"### {id} ")
        body, end, after = rest.partition("\n### ")
        if old not in body:
            raise LookupError(f"{id} holds no {old!r}")
        self.write(TODO, before + heading + body.replace(old, new, 1) + end + after)

    def add(self, path: str, text: str) -> None:
        """Write text at a file's end."""
        self.write(path, self.text(path) + text)

    def decide(self, **values: Any) -> None:
        """Append a sealed decision, whatever the rules say of it."""
        texts = {
            "title": "Selftest",
            "context": "A reason.",
            "decision": "A choice.",
            "consequences": "A result.",
        }
        draft = Draft(**{**texts, "day": decide.today(), **values})
        log = Reading(str(self.root)).log
        if log is None:
            raise LookupError(f"{DECISIONS} cannot be read")
        if log.entries and not log.entries[-1].seal:
            decide.seal(str(self.root))
            log = Reading(str(self.root)).log or log
        self.write(DECISIONS, edit.with_entry(self.text(DECISIONS), log, draft)[0])

    def commit(self) -> None:
        """Make the present state the version that is landed on."""
        identity = (
            "-c",
            "user.name=selftest",
            "-c",
            "user.email=selftest@example.invalid",
            "-c",
            "commit.gpgsign=false",
        )
        for arguments in (
            ("init", "-q"),
            ("add", "-A", "-f"),
            (*identity, "commit", "-q", "--no-verify", "-m", "base"),
        ):
            if git(str(self.root), *arguments) is None:
                raise LookupError("git cannot make a commit here")

    def findings(self) -> list[Finding]:
        """Return what every rule says about the copy as it is now."""
        reading = Reading(str(self.root))
        parts = verify.about_files(reading, self.base, str(self.var))
        if reading.log:
            log = reading.log
            parts["budgets"] = lambda: budgets.check(log, self.live)
        parts["addresses"] = lambda: addresses.check(self.patterns)
        return verify.gather(parts | self.more)


def names(found: Iterable[Finding]) -> list[str]:
    """Return findings as 'E001 path:line', for a message."""
    return [f"{finding.id} {os.path.basename(finding.path)}:{finding.line}" for finding in found]
