"""Closes a task: every acceptance is proved by a report, or seen by a person who says what was seen."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

from governance import edit, evidence
from governance.documents import DECISIONS, TODO
from governance.edit import Draft
from governance.evidence import Axe, Report
from governance.output import Answer
from governance.todo import CHECKLIST, Acceptance, Task
from governance.verbs import decide, tasks
from governance.writing import Refused, alone, write

REPORTED = ("check", "test", "playwright", "axe")
NO_PAGE = "N/A (no page of its own)"
TEST = re.compile(r"tests/[\w/]+\.py(?:::[\w:\[\]., -]*\w\]?)?")


@dataclass
class Proof:
    """What is brought forward for a task.

    Attributes: junit and axe, paths of reports; files, what was made; tests, the test id for an acceptance
    (A2 → tests/x.py::name); seen, what a person saw for one that no report can prove; answers, the lines of
    the performance checklist.
    """

    junit: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    tests: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)


def close(root: str, task_id: str, proof: Proof, *, again: bool = False, dry_run: bool = False) -> Answer:
    """Close a task with its evidence; writes the decision that names it where none does yet.

    Raises:
        Refused: an acceptance is not proved, a report tells of a failure, or the evidence is not about the
            files as they are now (W023).
    """
    task = tasks.find(tasks.read(root), task_id)
    if task.state != ("done" if again else "doing"):
        mend = (
            "only what is done is proved again" if again else "./run manage governance task start comes first"
        )
        raise Refused(f"{task_id} is {task.state}: {mend}.")
    require(root, proof.files)
    report, axe = evidence.read_junit(proof.junit, root), evidence.read_axe(proof.axe)
    refuse_failures(report, axe)
    refuse_stale(root, report, proof)
    notes = [prove(item, proof, report, axe, root) for item in task.acceptance]
    with alone(root):
        reading = tasks.read(root)
        task = tasks.find(reading, task_id)
        fill(root, task, proof, report)
        changes = {}
        if reading.log and not any(task_id in entry.body for entry in reading.log.entries):
            decide.append(reading, closing(task, notes))
            changes[DECISIONS] = reading.texts[DECISIONS]
        changes[TODO] = edit.changed(reading.texts[TODO], task, edit.written(task))
        write(root, changes, dry_run=dry_run)
    answer = tasks.said(task, "done", dry_run)
    return Answer([*answer.lines, *(f"  {note}" for note in notes)], answer.data | {"proofs": notes})


def refuse_failures(report: Report, axe: Axe) -> None:
    """Raise Refused when a report tells of a failure, whatever it concerns."""
    failed = [*report.failed(), *axe.violations]
    if failed:
        raise Refused(
            f"The reports tell of {len(failed)} failures, the first: {failed[0]}. Mend them and run again."
        )


def refuse_stale(root: str, report: Report, proof: Proof) -> None:
    """Raise Refused (W023) when files changed after the tests ran."""
    changed = evidence.stale(report, root, proof.files)
    if changed:
        raise Refused(
            f"W023 {', '.join(changed[:5])} changed after the tests ran: run them again, then close the task."
        )


def prove(item: Acceptance, proof: Proof, report: Report, axe: Axe, root: str) -> str:
    """Return what proves an acceptance; raises Refused where nothing does."""
    label = f"A{item.number}"
    if item.kind == "check":
        return f"{label} check: {run_check(root)}"
    if item.kind == "axe":
        if not axe.pages:
            raise Refused(f"{label} needs Axe's own report: --axe FILE.json")
        return f"{label} axe: {len(axe.pages)} pages without violations"
    named = proof.tests.get(label) or next(iter(TEST.findall(item.text)), "")
    passed = report.passed(named) if named else []
    if passed:
        return f"{label} {item.kind}: {named}, {len(passed)} passed"
    if item.kind in REPORTED:
        want = f"{named} did not pass in the report" if named else "it names no test"
        raise Refused(
            f"{label} {item.kind}: {want}. Give --junit REPORT.xml and --test {label}=tests/x.py::test_name"
        )
    if not proof.seen.get(label):
        raise Refused(
            f"{label} {item.kind} is not proved: --test {label}=tests/x.py::name, or --seen {label}='…'"
        )
    return f"{label} {item.kind}: seen: {edit.one_line(proof.seen[label])}"


def run_check(root: str) -> str:
    """Run ./run check and return what it came to; raises Refused when it does not pass."""
    command = [sys.executable, "-m", "tests.lint"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        failed = [line for line in done.stdout.splitlines() if line.startswith("✕")] or [
            done.stderr.strip()[-200:]
        ]
        raise Refused(f"./run check does not pass: {failed[-1]}")
    return "exit 0"


def fill(root: str, task: Task, proof: Proof, report: Report) -> None:
    """Write the closing into a task."""
    for item in task.acceptance:
        item.ticked = True
    task.fields["state"] = ("done", 1)
    task.fields.pop("why", None)
    task.fields["done"] = (decide.today().isoformat(), 1)
    ran = concerned(report.files(), task, proof)
    kept = {path: evidence.digest(root, path) for path in ran} | report.sources
    task.closing = {
        "files": (", ".join(proof.files), 1),
        "tests": (f"{', '.join(ran)} => pass", 1),
        "evidence": (", ".join(f"{path}@{mark[:12]}" for path, mark in kept.items() if mark), 1),
    }
    for name in CHECKLIST:
        task.closing[name] = (answer(name, task, proof), 1)


def concerned(ran: list[str], task: Task, proof: Proof) -> list[str]:
    """Return the test files of a run that a task rests on: those it names, those that mirror what was made.

    A run of the whole suite proves much else too; named with every task, all of it would age them all. Where
    nothing that ran mirrors what was made, all of it is what was brought.
    """
    texts = [item.text for item in task.acceptance]
    named = {
        name.partition("::")[0] for text in (*texts, *proof.tests.values()) for name in TEST.findall(text)
    }
    roots = [mirrored(path) for path in proof.files]
    found = [
        path
        for path in ran
        if path in named or any(path == root or path.startswith(f"{root}/") for root in roots)
    ]
    return found or ran


def mirrored(path: str) -> str:
    """Return where the tests of a file or folder are: tests/costs/test_views.py for costs/views.py."""
    folder, _, name = path.rstrip("/").rpartition("/")
    place = path.rstrip("/") if path.startswith("tests/") else f"tests/{path.rstrip('/')}"
    if not name.endswith(".py") or name.startswith("test_"):
        return place
    return f"tests/{folder}/test_{name}".replace("//", "/")


def answer(name: str, task: Task, proof: Proof) -> str:
    """Return a line of the checklist; an interface task must answer each for itself."""
    if name == "tests-run":
        return "PASS"
    given = proof.answers.get(name, "")
    if not given and "ui" in task.types:
        raise Refused(f"{task.id} has a page: answer --answer {name}=YES, 'NO → T-id' or 'N/A (reason)'.")
    return given or NO_PAGE


def closing(task: Task, notes: list[str]) -> Draft:
    """Return the decision that a closed task is named by."""
    return Draft(
        title=f"{task.id} is done",
        context=f"{task.title}: its acceptance was looked at, one by one.",
        decision="\n".join(notes),
        consequences="The evidence is in docs/TODO.md with the digests of what was run.",
        day=decide.today(),
        task=task.id,
    )


def require(root: str, paths: list[str]) -> None:
    """Raise Refused for files that are not there, or when none are named."""
    if not paths:
        raise Refused("Say what was made: --files costs/views.py,templates/costs/")
    gone = [path for path in paths if not os.path.lexists(os.path.join(root, path))]
    if gone:
        raise Refused(f"{', '.join(gone)} is not in the repository: name what was made with --files.")
