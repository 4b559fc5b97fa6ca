"""Rules on the tasks of docs/TODO.md. Standard library only."""

from governance.documents import TODO
from governance.findings import Finding
from governance.todo import CHECKLIST, Task, Todo

MANDATORY = ("state", "plan", "type", "needs", "doc-target", "accept", "pre-verified")
UI_PROOFS = ("check", "playwright", "axe")
BIG_PROOFS = ("batching", "pagination", "dataqueue")
CLOSED = ("done", "dropped")
VERB = "./run manage governance task"


def check(todo: Todo) -> list[Finding]:
    """Return the faults of E011, E013 to E022."""
    known: dict[str, Task] = {}
    found = []
    for task in todo.tasks:
        if task.id in known:
            hint = f"give it the next free id; {VERB} add does"
            message = f"{task.id} stands already in line {known[task.id].line}."
            found.append(Finding("E011", TODO, task.line, message, hint))
        known.setdefault(task.id, task)
    for task in todo.tasks:
        found += check_one(task, known)
    return found + circles(known) + doing(todo, known)


def check_one(task: Task, known: dict[str, Task]) -> list[Finding]:
    """Return what is wrong with one task."""
    found = []
    lacks = [name for name in MANDATORY if not is_given(task, name)]
    if not task.title:
        lacks.insert(0, "a title")
    if lacks:
        message = f"{task.id} lacks {', '.join(lacks)}."
        found.append(Finding("E013", TODO, task.line, message, f"write it, or {VERB} drop {task.id} --why …"))
    if task.state != "dropped" and "accept" not in lacks:
        found += proofs(task)
    for need in task.names("needs"):
        if need not in known:
            message = f"{task.id} needs {need}, which does not exist."
            hint = f"./run manage governance task list; then correct `needs` of {task.id}"
            found.append(Finding("E016", TODO, task.line_of("needs"), message, hint))
    if task.state == "done":
        found += closing(task, known)
    return found


def is_given(task: Task, name: str) -> bool:
    """Say whether a task has a field, and acceptance at least one line."""
    return bool(task.acceptance) if name == "accept" else bool(task.value(name))


def proofs(task: Task) -> list[Finding]:
    """E014 and E015: what kinds of acceptance a kind of task needs."""
    kinds = {item.kind for item in task.acceptance}
    found = []
    for id, kind, needed in (("E014", "ui", UI_PROOFS), ("E015", "bigdata", BIG_PROOFS)):  # noqa: A001 - the word for it
        lacks = [name for name in needed if name not in kinds]
        if kind in task.types and lacks:
            message = f"{task.id} is of type {kind} without acceptance by {', '.join(lacks)}."
            hint = f"{VERB} extend {task.id} --accept '{lacks[0]}: …'"
            found.append(Finding(id, TODO, task.line_of("accept"), message, hint))
    return found


def closing(task: Task, known: dict[str, Task]) -> list[Finding]:
    """E020 to E022: a done task says what was made and how it was seen to hold."""
    found = []
    line = task.line_of("done")
    again = f"{VERB} done {task.id} --junit REPORT.xml (after {VERB} start {task.id})"
    lacks = [name for name in ("files", "tests") if not task.closed_with(name)]
    tests = task.closing.get("tests", ("", 0))[0]
    if "done" not in task.fields or lacks or not tests.endswith(" => pass"):
        message = f"{task.id} is done without {' and '.join(lacks) or 'tests that pass'}."
        found.append(Finding("E020", TODO, line, message, again))
    wrong = [name for name in CHECKLIST if not is_answer(name, task.closing.get(name, ("", 0))[0], known)]
    if wrong:
        message = f"{task.id}: the checklist does not answer {', '.join(wrong)}."
        hint = "write YES, NO → T-id, or N/A (reason); tests-run: PASS, FAIL or N/A"
        found.append(Finding("E021", TODO, task.closing.get(wrong[0], ("", line))[1], message, hint))
    for item in task.acceptance:
        if not item.ticked:
            message = f"{task.id} is done while A{item.number} is open."
            hint = f"prove it and tick it, or set the state back: {VERB} start {task.id}"
            found.append(Finding("E022", TODO, item.line, message, hint))
            break
    return found


def is_answer(name: str, answer: str, known: dict[str, Task]) -> bool:
    """Say whether a line of the checklist is answered."""
    if name == "tests-run":
        return answer in ("PASS", "FAIL", "N/A") or reasoned(answer)
    return answer == "YES" or reasoned(answer) or (answer.startswith("NO → ") and answer[5:] in known)


def reasoned(answer: str) -> bool:
    """Say whether an answer is N/A with its reason."""
    return answer.startswith("N/A (") and answer.endswith(")") and len(answer) > len("N/A ()")


def circles(known: dict[str, Task]) -> list[Finding]:
    """E016: a task that, through what it needs, needs itself; each circle is named once."""
    state: dict[str, int] = {}
    found = []
    for start in known:
        path = [start] if start not in state else []
        while path:
            here = path[-1]
            if here not in state:
                state[here] = 1
            following = next_step(known[here], state, known)
            if following is None:
                state[path.pop()] = 2
            elif state.get(following) == 1:
                circle = " → ".join([*path[path.index(following) :], following])
                hint = f"take one of them out of `needs`: git diff {TODO}"
                found.append(
                    Finding("E016", TODO, known[here].line_of("needs"), f"{circle} is a circle.", hint)
                )
                state[path.pop()] = 2
            else:
                path.append(following)
    return found


def next_step(task: Task, state: dict[str, int], known: dict[str, Task]) -> str | None:
    """Return what a task needs and the walk has not finished, if anything."""
    return next((need for need in task.names("needs") if need in known and state.get(need) != 2), None)


def doing(todo: Todo, known: dict[str, Task]) -> list[Finding]:
    """E017 to E019: one task at a time, in the current plan, after what it needs."""
    found = []
    active = [task for task in todo.tasks if task.state == "doing"]
    if not todo.plan_line:
        found.append(
            Finding(
                "E013", TODO, 1, "no line names the current plan.", "write `Current Plan: P-001` in line 2"
            )
        )
    for task in active[1:]:
        message = f"{task.id} is being done while {active[0].id} is."
        hint = f"{VERB} block {task.id} --why …   or finish {active[0].id}"
        found.append(Finding("E017", TODO, task.line_of("state"), message, hint))
    for task in active:
        if todo.plan_line and task.value("plan") != todo.plan:
            message = f"{task.id} is being done in {task.value('plan')}, but the current plan is {todo.plan}."
            hint = f"make it the current plan in line {todo.plan_line}, or {VERB} block {task.id} --why …"
            found.append(Finding("E018", TODO, task.line_of("plan"), message, hint))
    for task in todo.tasks:
        if task.state in ("doing", "done"):
            found += waiting(task, known)
    return found


def waiting(task: Task, known: dict[str, Task]) -> list[Finding]:
    """E019: what a task needs that is not closed."""
    needs = [known[need] for need in task.names("needs") if need in known and need != task.id]
    still = [need.id for need in needs if need.state not in CLOSED]
    if not still:
        return []
    message = f"{task.id} is {task.state} while {', '.join(still)} is open."
    hint = f"{VERB} start {still[0]}"
    return [Finding("E019", TODO, task.line_of("state"), message, hint)]
