"""Rules on docs/DECISIONS.md: chain, ids, what it sets, what it must explain. Standard library only."""

from governance import chain
from governance.decisions import Decision, Log
from governance.documents import DECISIONS
from governance.findings import STOP, Finding
from governance.todo import Todo

BUDGET = "budget."
RESTORE = f"git checkout -- {DECISIONS}   (old entries never change; a correction is a new entry)"


def check(log: Log, todo: Todo | None) -> list[Finding]:
    """Return the faults of E024, E030, E032, W033, E041 and C090."""
    found = links(log.entries) + ids(log.entries)
    if todo:
        found += references(log.entries, {task.id for task in todo.tasks})
        found += unexplained(log.entries, todo)
    return found + budgets(log.entries) + stopped(log.entries)


def links(entries: list[Decision]) -> list[Finding]:
    """E030 and W033: every seal follows from the one before; only the newest entries may lack one."""
    found: list[Finding] = []
    prev, open_entry = chain.FIRST, None
    for entry in entries:
        if not entry.seal:
            open_entry = open_entry or entry
        elif open_entry:
            message = f"{entry.id} is sealed, but {open_entry.id} before it is not."
            return [*found, Finding("E030", DECISIONS, entry.seal_line, message, RESTORE)]
        elif entry.prev != prev:
            message = f"{entry.id} does not follow the entry before it."
            found.append(Finding("E030", DECISIONS, entry.seal_line - 1, message, RESTORE))
        elif chain.seal(entry.prev, entry.body) != entry.seal:
            message = f"{entry.id} was changed after it was sealed."
            found.append(Finding("E030", DECISIONS, entry.line, message, RESTORE))
        prev = entry.seal
    if open_entry:
        hint = "./run manage governance seal"
        found.append(Finding("W033", DECISIONS, open_entry.line, f"{open_entry.id} is not sealed.", hint))
    return found


def ids(entries: list[Decision]) -> list[Finding]:
    """E032: ids rise, and what an entry supersedes came before it."""
    found = []
    highest = 0
    seen: set[str] = set()
    for entry in entries:
        if entry.number <= highest:
            message = f"{entry.id} does not come after D-{highest:04d}."
            hint = f"{RESTORE}, then ./run manage governance decide"
            found.append(Finding("E032", DECISIONS, entry.line, message, hint))
        highest = max(highest, entry.number)
        for name in entry.value("supersedes").split(", "):
            if name.startswith("D-") and name not in seen:
                message = f"{entry.id} supersedes {name}, which does not come before it."
                hint = "name an earlier entry, or none"
                found.append(Finding("E032", DECISIONS, entry.line_of("supersedes"), message, hint))
        seen.add(entry.id)
    return found


def references(entries: list[Decision], known: set[str]) -> list[Finding]:
    """E032: the task that an entry names exists."""
    found = []
    for entry in entries:
        task = entry.value("task")
        if task.startswith("T-") and task not in known:
            message = f"{entry.id} names {task}, which docs/TODO.md does not hold."
            hint = "add the task first: ./run manage governance task add"
            found.append(Finding("E032", DECISIONS, entry.line_of("task"), message, hint))
    return found


def unexplained(entries: list[Decision], todo: Todo) -> list[Finding]:
    """E024: every done task is named by a decision, in its task line or its text."""
    named = {entry.value("task") for entry in entries}
    found = []
    for task in todo.tasks:
        if (
            task.state == "done"
            and task.id not in named
            and not any(task.id in entry.body for entry in entries)
        ):
            hint = f"./run manage governance decide --task {task.id} --title … …"
            message = f"{task.id} is done, but no decision names it."
            found.append(Finding("E024", "docs/TODO.md", task.line_of("done"), message, hint))
    return found


def budgets(entries: list[Decision]) -> list[Finding]:
    """E041: a budget changes by a decision of kind budget, for a task, from the value it had."""
    found = []
    values: dict[str, str] = {}
    for entry in entries:
        for name, old, new, line in entry.sets:
            if not name.startswith(BUDGET):
                continue
            before = values.get(name, "none")
            values[name] = new
            problem = ""
            if entry.value("task") == "none" or entry.kind not in ("budget", "correction"):
                problem = f"{entry.id} sets {name} without being of kind budget and for a task."
            elif old != before:
                problem = f"{entry.id} changes {name} from {old}, but it was {before}."
            if problem:
                change = f"{name} {before} -> {new}"
                hint = f"./run manage governance decide --kind budget --task T-id --sets '{change}' …"
                found.append(Finding("E041", DECISIONS, line, problem, hint))
    return found


def stopped(entries: list[Decision]) -> list[Finding]:
    """C090: the newest stop has no later resume."""
    entry = stop_of(entries)
    if entry is None:
        return []
    hint = "./run manage governance resume --title 'What was mended' …"
    return [Finding(STOP, DECISIONS, entry.line, f"EMERGENCY STOP by {entry.id}: {entry.title}.", hint)]


def stop_of(entries: list[Decision]) -> Decision | None:
    """Return the stop that is in force, if any."""
    last = next((entry for entry in reversed(entries) if entry.kind in ("stop", "resume")), None)
    return last if last and last.kind == "stop" else None
