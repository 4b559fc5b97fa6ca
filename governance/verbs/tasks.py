"""Changes docs/TODO.md: adds, extends, starts, blocks, drops and lists tasks."""

from governance import edit
from governance.documents import DECISIONS, TODO
from governance.edit import Draft, one_line
from governance.output import Answer
from governance.reading import Reading
from governance.rules.titles import NEAR, alike
from governance.todo import Acceptance, Task
from governance.verbs import decide
from governance.verbs.readcheck import as_data
from governance.writing import Refused, alone, write


def read(root: str) -> Reading:
    """Return the documents; raises Refused where docs/TODO.md cannot be read."""
    reading = Reading(root)
    if reading.todo is None:
        raise Refused("docs/TODO.md cannot be read.", reading.faults)
    return reading


def find(reading: Reading, task_id: str) -> Task:
    """Return a task; raises Refused where there is none of that id."""
    task = reading.todo.task(task_id) if reading.todo else None
    if task is None:
        raise Refused(f"There is no task {task_id}: ./run manage governance task list shows them.")
    return task


def add(
    root: str,
    title: str,
    values: dict[str, str],
    accept: list[str],
    *,
    found_in: str = "",
    dry_run: bool = False,
) -> Answer:
    """Add a task at the end of docs/TODO.md.

    Args:
        title: what it is; nearly the title of another task is refused, for then that one is extended.
        values: plan, type, needs, doc-target and pre-verified, as the grammar writes them.
        accept: lines such as 'playwright: tests/e2e/test_cost.py'; `check: exit 0` is added where missing.
        found_in: the task during which it was discovered; a decision then says so.

    Raises:
        Refused: the title is another's (E012), or the task would break a rule.
    """
    with alone(root):
        reading = read(root)
        assert reading.todo is not None
        refuse_duplicate(reading, title)
        task = Task(edit.next_task_id(reading.todo), one_line(title), 1)
        defaults = {"plan": reading.todo.plan, "type": "code", "needs": "none", "pre-verified": "none"}
        for name, value in {"state": "todo", **defaults, **values, "accept": ""}.items():
            task.fields[name] = (value, 1)
        extend_acceptance(
            task, accept if any(has_kind(line, "check") for line in accept) else ["check: exit 0", *accept]
        )
        changes = {TODO: edit.with_task(reading.texts[TODO], edit.written(task))}
        if found_in:
            find(reading, found_in)
            decide.append(reading, discovery(task, found_in))
            changes[DECISIONS] = reading.texts[DECISIONS]
        write(root, changes, dry_run=dry_run)
    return said(task, "add", dry_run)


def discovery(task: Task, found_in: str) -> Draft:
    """Return the decision that says where a task came from."""
    return Draft(
        title=f"{task.id} was found while working on {found_in}",
        context=f"Work on {found_in} showed that something else is needed: {task.title}.",
        decision=f"It becomes the task {task.id} and is not built within {found_in}.",
        consequences=f"{found_in} stays as small as it was authorised.",
        day=decide.today(),
        task=task.id,
    )


def refuse_duplicate(reading: Reading, title: str) -> None:
    """Raise Refused (E012) for a title that is nearly an open or done task's."""
    for other in reading.todo.tasks if reading.todo else ():
        if other.state != "dropped" and alike(title, other.title) >= NEAR:
            raise Refused(
                f"E012 {TODO}:{other.line}: '{title}' is nearly {other.id} '{other.title}'. Extend that one: "
                f"./run manage governance task extend {other.id} --accept 'KIND: …'"
            )


def has_kind(line: str, kind: str) -> bool:
    """Say whether an acceptance line is of a kind."""
    return line.partition(":")[0].strip() == kind


def extend_acceptance(task: Task, lines: list[str]) -> None:
    """Add acceptance lines to a task."""
    for line in lines:
        kind, _, text = one_line(line).partition(":")
        task.acceptance.append(Acceptance(len(task.acceptance) + 1, False, kind.strip(), text.strip(), 1))


def extend(root: str, task_id: str, accept: list[str], needs: list[str], *, dry_run: bool = False) -> Answer:
    """Add acceptance and dependencies to a task; one that is closed is opened again by `start` only."""
    with alone(root):
        reading = read(root)
        task = find(reading, task_id)
        if task.state in ("done", "dropped"):
            raise Refused(f"{task_id} is {task.state}: start it again first, or add a task that needs it.")
        if not accept and not needs:
            raise Refused("Nothing to add: give --accept 'KIND: …' or --needs T-id.")
        extend_acceptance(task, accept)
        wanted = [*task.names("needs"), *(need for need in needs if need not in task.names("needs"))]
        task.fields["needs"] = (", ".join(wanted) or "none", 1)
        save(root, reading, task, dry_run=dry_run)
    return said(task, "extend", dry_run)


def move(root: str, task_id: str, state: str, *, why: str = "", dry_run: bool = False) -> Answer:
    """Set a task's state: doing, todo, blocked or dropped; the last two say why."""
    with alone(root):
        reading = read(root)
        task = find(reading, task_id)
        task.fields["state"] = (state, 1)
        task.fields.pop("why", None)
        if why:
            task.fields["why"] = (one_line(why), 1)
        if state != "done":
            task.fields.pop("done", None)
            task.closing.clear()
        save(root, reading, task, dry_run=dry_run)
    return said(task, state, dry_run)


def save(root: str, reading: Reading, task: Task, *, dry_run: bool) -> None:
    """Write a changed task; raises Refused when the rules would find a new error."""
    write(root, {TODO: edit.changed(reading.texts[TODO], task, edit.written(task))}, dry_run=dry_run)


def said(task: Task, verb: str, dry_run: bool) -> Answer:
    """Return what was done to a task."""
    lines = [f"{task.id} — {task.title}: {task.state}{' (not written)' if dry_run else ''}"]
    return Answer(
        lines + (edit.written(task) if dry_run else []),
        {"task": as_data(task), "verb": verb, "dry_run": dry_run},
    )


def listing(root: str, state: str = "", plan: str = "") -> Answer:
    """Return the tasks, of one state or plan where asked."""
    reading = read(root)
    tasks = [
        task
        for task in (reading.todo.tasks if reading.todo else ())
        if state in ("", task.state) and plan in ("", task.value("plan"))
    ]
    lines = [f"{task.id}  {task.state:8}{task.value('plan')}  {task.title}" for task in tasks]
    return Answer(lines or ["No such task."], {"tasks": [as_data(task) for task in tasks]})
