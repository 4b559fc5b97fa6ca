"""The proof of reading, and the two reports that frame a piece of work."""

from governance import rules
from governance.documents import GOVERNED, READ_ORDER
from governance.findings import STOP, Finding, errors
from governance.gate import READ_CHECK
from governance.output import Answer
from governance.reading import Reading
from governance.rules.entries import stop_of
from governance.todo import Task, Todo

NEXT_MOST = 7
FENCE = "Nothing outside docs/TODO.md is built: what turns up on the way becomes a task or a decision first."


def readcheck(root: str, task_id: str = "") -> Answer:
    """Return the READ CHECK of a folder; exit code 2 where a document is missing or not in order.

    Args:
        root: the repository.
        task_id: the task to be worked on; without it the one that is being done, else the next.
    """
    reading = Reading(root)
    found = [finding for finding in errors(rules.check(reading)) if finding.id != STOP]
    task, unknown = chosen(reading.todo, task_id)
    found += unknown
    if found or reading.todo is None or reading.log is None:
        return Answer([READ_CHECK], {"read_check": False}, found, 2)
    opened = {path: reading.digest(path)[:4] for path in READ_ORDER}
    last = reading.log.entries[-1] if reading.log.entries else None
    head = f"{last.id} {last.seal[:8]}" if last else "none"
    target = task.value("doc-target") if task else "none"
    lines = [
        "READ CHECK ✅",
        f"Files opened: {' '.join(f'{path}@{mark}' for path, mark in opened.items())} (required order)",
        f"Current Plan ID: {reading.todo.plan}",
        f"TODO task ID: {task.id if task else 'none'}",
        f"DOC TARGET: {target}",
        f"Chain head: {head}",
    ]
    data = {
        "read_check": True,
        "files": opened,
        "plan": reading.todo.plan,
        "task": task.id if task else None,
        "doc_target": target,
        "chain_head": head,
    }
    return Answer(lines, data)


def chosen(todo: Todo | None, task_id: str) -> tuple[Task | None, list[Finding]]:
    """Return the task that is meant, and the finding where it does not exist."""
    if todo is None:
        return None, []
    if not task_id:
        return next((task for task in (*doing(todo), *ready(todo))), None), []
    task = todo.task(task_id)
    if task:
        return task, []
    hint = "./run manage governance task list"
    return None, [Finding("E016", "docs/TODO.md", 1, f"there is no task {task_id}.", hint)]


def doing(todo: Todo) -> list[Task]:
    """Return what is being done."""
    return [task for task in todo.tasks if task.state == "doing"]


def ready(todo: Todo) -> list[Task]:
    """Return what may be started next: of the current plan first, then by id, needs closed."""
    closed = {task.id for task in todo.tasks if task.state in ("done", "dropped")}
    free = [task for task in todo.tasks if task.state == "todo" and closed.issuperset(task.names("needs"))]
    return sorted(free, key=lambda task: (task.value("plan") != todo.plan, task.id))


def upcoming(todo: Todo) -> list[Task]:
    """Return at most NEXT_MOST tasks: the one being done, what may be started, then what waits."""
    first = [*doing(todo), *ready(todo)]
    rest = [task for task in todo.tasks if task.state in ("todo", "blocked") and task not in first]
    return [*first, *rest][:NEXT_MOST]


def brief(root: str) -> Answer:
    """Return what to know before work: the READ CHECK, what exists, the plan, the next tasks, the fence."""
    answer = readcheck(root)
    reading = Reading(root)
    if answer.code or reading.todo is None or reading.log is None:
        return answer
    todo = reading.todo
    tasks = upcoming(todo)
    stop = stop_of(reading.log.entries)
    exists = [task for task in todo.tasks if task.state == "done"]
    missing = [path for path in GOVERNED if path not in reading.texts]
    lines = [*answer.lines, ""]
    lines += (
        [f"EMERGENCY STOP by {stop.id}: {stop.title}. Only what ends it may be done.", ""] if stop else []
    )
    lines += ["Exists:", *(f"  {task.id} {task.title}" for task in exists)]
    lines += [
        "Does not exist yet:",
        *(f"  {task.id} {task.title}" for task in todo.tasks if task not in exists),
    ]
    lines += [f"Missing documents: {', '.join(missing)}"] if missing else []
    lines += ["", f"Plan {todo.plan}, next:"]
    for task in tasks:
        lines += described(task)
    data = answer.data | {
        "stop": stop.id if stop else None,
        "exists": [task.id for task in exists],
        "next": [as_data(task) for task in tasks],
    }
    return Answer([*lines, "", FENCE], data)


def described(task: Task) -> list[str]:
    """Return a task in a few lines."""
    lines = [f"  {task.id} {task.title} ({task.state}, {task.value('plan')}, needs {task.value('needs')})"]
    return lines + [
        f"    [{'x' if item.ticked else ' '}] A{item.number} {item.kind}: {item.text}"
        for item in task.acceptance
    ]


def as_data(task: Task) -> dict[str, object]:
    """Return a task as JSON has it."""
    return {
        "id": task.id,
        "title": task.title,
        "line": task.line,
        **{name: task.value(name) for name in ("state", "plan", "doc-target")},
        "type": task.types,
        "needs": task.names("needs"),
        "acceptance": [
            {"id": f"A{item.number}", "kind": item.kind, "text": item.text, "ticked": item.ticked}
            for item in task.acceptance
        ],
        "closing": {name: value for name, (value, _) in task.closing.items()},
    }


def report(root: str, task_id: str) -> Answer:
    """Return what to say after work on a task: what was done, files, documents, tests, the next task."""
    answer = readcheck(root, task_id)
    reading = Reading(root)
    task = reading.todo.task(task_id) if reading.todo else None
    if answer.code or task is None or reading.todo is None or reading.log is None:
        return answer
    named = [entry for entry in reading.log.entries if task_id in entry.body]
    after = next((other for other in upcoming(reading.todo) if other is not task), None)
    lines = [
        *answer.lines,
        "",
        *described(task),
        f"Files: {', '.join(task.closed_with('files')) or 'none yet'}",
        f"Documents: {', '.join([task.value('doc-target'), *(entry.id for entry in named)])}",
        f"Tests: {task.closing.get('tests', ('none yet', 0))[0]}",
        f"Next: {f'{after.id} {after.title}' if after else 'nothing is planned'}",
    ]
    data = answer.data | {
        "report": as_data(task),
        "decisions": [entry.id for entry in named],
        "next": after.id if after else None,
    }
    return Answer(lines, data)
