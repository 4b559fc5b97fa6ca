"""Parses docs/TODO.md: line-exact, in fixed order; what is not in the grammar is an error and never skipped.
Standard library only.
"""

from governance.documents import TODO
from governance.parser import Faults, heading, is_date, is_id

STATES = ("todo", "doing", "blocked", "done", "dropped")
TYPES = ("ui", "bigdata", "code", "docs", "ops")
PROOFS = (
    "check",
    "test",
    "playwright",
    "axe",
    "batching",
    "pagination",
    "dataqueue",
    "faults",
    "bench",
    "docs",
)
FIELDS = ("state", "plan", "type", "needs", "doc-target", "accept", "pre-verified", "why", "done")
EVIDENCE = ("files", "tests", "evidence")
CHECKLIST = (
    "stale-time",
    "tab-queries",
    "cursor-pagination",
    "indexes",
    "dataqueue",
    "virtualization",
    "prefetch",
    "tests-run",
)
DONE_FIELDS = (*EVIDENCE, *CHECKLIST)
RANK = {name: rank for rank, name in enumerate(FIELDS)}
DONE_RANK = {name: rank for rank, name in enumerate(DONE_FIELDS)}


class Acceptance:
    """One acceptance line: its number, whether it is ticked, the kind of proof, what must hold, its line."""

    __slots__ = ("kind", "line", "number", "text", "ticked")

    def __init__(self, number: int, ticked: bool, kind: str, text: str, line: int) -> None:
        self.number = number
        self.ticked = ticked
        self.kind = kind
        self.text = text
        self.line = line


class Task:
    """One task as written; fields and closing map a name to its value and line."""

    __slots__ = ("acceptance", "closing", "fields", "id", "last_line", "line", "title")

    def __init__(self, id: str, title: str, line: int) -> None:  # noqa: A002 - the word for it
        self.id = id
        self.title = title
        self.line = self.last_line = line
        self.fields: dict[str, tuple[str, int]] = {}
        self.acceptance: list[Acceptance] = []
        self.closing: dict[str, tuple[str, int]] = {}

    def value(self, name: str) -> str:
        """Return a field's value, '' where the field is missing."""
        return self.fields.get(name, ("", 0))[0]

    def line_of(self, name: str) -> int:
        """Return a field's line, the heading's where the field is missing."""
        return self.fields.get(name, ("", self.line))[1]

    def names(self, field: str) -> list[str]:
        """Return the words of a field that lists several; none for 'none'."""
        return listed(self.value(field))

    def closed_with(self, field: str) -> list[str]:
        """Return the paths that the closing's files, tests or evidence name."""
        text = self.closing.get(field, ("", 0))[0]
        return listed(text.removesuffix(" => pass"))

    @property
    def state(self) -> str:
        return self.value("state")

    @property
    def types(self) -> list[str]:
        return self.names("type")


class Todo:
    """The whole document: the current plan and its line (0 when missing), the tasks, what did not parse."""

    __slots__ = ("faults", "plan", "plan_line", "tasks")

    def __init__(self) -> None:
        self.plan = ""
        self.plan_line = 0
        self.tasks: list[Task] = []
        self.faults = Faults(TODO)

    def task(self, id: str) -> Task | None:  # noqa: A002 - the word for it
        """Return the first task of an id."""
        return next((task for task in self.tasks if task.id == id), None)


def listed(text: str) -> list[str]:
    """Return the parts of a comma-separated value; none for 'none'."""
    return [] if text in ("", "none") else text.split(", ")


def parse(text: str) -> Todo:
    """Return what docs/TODO.md says; whatever does not parse is in the result's faults."""
    todo = Todo()
    reader = Reader(todo)
    lines = text.split("\n")
    if lines[-1]:
        todo.faults.add(len(lines), "the last line has no line feed.", f"echo >> {TODO}")
    elif text:
        lines.pop()
    if lines[:1] != ["# TODO"]:
        todo.faults.add(1, "the title is missing.", "begin with `# TODO`, then the current plan")
    for number, line in enumerate(lines, 1):
        if line:
            reader.take(line, number)
        else:
            reader.end()
    return todo


class Reader:
    """Takes one line after the other, knowing which may follow."""

    def __init__(self, todo: Todo) -> None:
        self.todo = todo
        self.task: Task | None = None
        self.rank = -1
        self.block = ""
        # Lines that were good once: tasks repeat most of theirs, and looking again costs the most of all.
        self.good: dict[str, tuple[str, str, int, str]] = {}
        self.proved: dict[str, tuple[str, bool, str, str]] = {}

    def end(self) -> None:
        """An empty line ends a task."""
        self.task = None

    def take(self, line: str, number: int) -> None:
        """Take a line that is not empty."""
        task = self.task
        if task is None:
            self.begin(line, number)
        elif line in self.good and self.good[line][2] > self.rank:
            name, value, self.rank, self.block = self.good[line]
            task.fields[name] = (value, number)
            task.last_line = number
        elif line.startswith("  - "):
            task.last_line = number
            if self.block == "accept":
                self.accept(task, line, number)
            elif self.block == "done":
                self.close(task, line, number)
            else:
                self.unknown(number, "an item under a field that has none.")
        elif line.startswith("- "):
            task.last_line = number
            self.field(task, line, number)
        elif line.startswith("### "):
            self.unknown(number, "no empty line before this heading.")
            self.begin(line, number)
        else:
            self.unknown(number, f"{short(line)} is no field of a task.")

    def unknown(self, number: int, message: str, hint: str = "") -> None:
        """Note a line that is not in the grammar."""
        self.todo.faults.add(
            number, message, hint or "see the grammar in docs/AGENT_BRIEF.md, or delete the line"
        )

    def begin(self, line: str, number: int) -> None:
        """Take a line outside of a task: the title, the plan, or a task's heading."""
        found = heading(line, "T")
        if found:
            self.task = Task(*found, number)
            self.todo.tasks.append(self.task)
            self.rank, self.block = -1, ""
        elif line.startswith("Current Plan: ") and not self.todo.plan_line and not self.todo.tasks:
            self.todo.plan, self.todo.plan_line = line[14:], number
            if not is_id(self.todo.plan, "P", 3):
                self.unknown(number, f"{short(line)} names no plan.", "write it as Current Plan: P-003")
        elif line != "# TODO" or number != 1:
            hint = "a task begins with `### T-0042 — Title`; ./run manage governance task add writes one"
            self.unknown(number, f"{short(line)} stands outside of a task.", hint)

    def field(self, task: Task, line: str, number: int) -> None:
        """Take `- name: value`."""
        name, colon, value = line[2:].partition(":")
        rank = RANK.get(name)
        if rank is None or not colon:
            self.unknown(number, f"{short(line)} is no field of a task.", f"fields: {', '.join(FIELDS)}")
            self.block = ""
            return
        if rank <= self.rank:
            order = ", ".join(FIELDS)
            self.unknown(number, f"'{name}' is repeated or out of order.", f"the order is {order}")
        self.rank, self.block = max(rank, self.rank), name if name in ("accept", "done") else ""
        value = value.removeprefix(" ")
        problem = wrong_value(name, value)
        if problem:
            self.unknown(number, f"{name}: {short(value)} is not usable.", problem)
        else:
            self.good[line] = (name, value, rank, self.block)
        task.fields.setdefault(name, (value, number))

    def accept(self, task: Task, line: str, number: int) -> None:
        """Take `  - [ ] A1 kind: text`."""
        ordinal = len(task.acceptance) + 1
        if line not in self.proved:
            label, _, rest = line[8:].partition(" ")
            kind, colon, text = rest.partition(": ")
            good = line[4:8] in ("[ ] ", "[x] ") and kind in PROOFS and colon and text.strip()
            self.proved[line] = (label if good else "", line[5:6] == "x", kind, text)
        label, ticked, kind, text = self.proved[line]
        if label != f"A{ordinal}":
            hint = f"write `  - [ ] A{ordinal} KIND: what must hold`, KIND one of {', '.join(PROOFS)}"
            self.unknown(number, f"{short(line)} is no acceptance.", hint)
        task.acceptance.append(Acceptance(ordinal, ticked, kind, text, number))

    def close(self, task: Task, line: str, number: int) -> None:
        """Take `  - name: value` of the closing; the checklist's values are judged by E021."""
        name, colon, value = line[4:].partition(": ")
        rank = DONE_RANK.get(name)
        if rank is None or not colon:
            self.unknown(
                number, f"{short(line)} is no line of a closing.", f"lines: {', '.join(DONE_FIELDS)}"
            )
        elif name in task.closing or any(DONE_RANK[earlier] > rank for earlier in task.closing):
            order = ", ".join(DONE_FIELDS)
            self.unknown(number, f"'{name}' is repeated or out of order.", f"the order is {order}")
        else:
            task.closing[name] = (value, number)


def wrong_value(name: str, value: str) -> str:
    """Return how to write a field whose value is not usable, '' for one that is."""
    if not value and name in ("plan", "needs"):
        return ""  # missing, which E013 says
    if name == "state":
        return "" if value in STATES else f"write one of {', '.join(STATES)}"
    if name == "plan":
        return "" if is_id(value, "P", 3) else "write it as P-003"
    if name == "type":
        return (
            ""
            if value and all(word in TYPES for word in value.split(", "))
            else f"write some of {', '.join(TYPES)}"
        )
    if name == "needs":
        good = value == "none" or all(is_id(word, "T") for word in value.split(", "))
        return "" if good else "write it as T-0039, T-0040, or none"
    if name == "doc-target":
        return (
            ""
            if value.startswith(("docs/", "DESIGN_", "UI_DEBT", "replit"))
            else "write it as docs/UI_SPEC.md#place"
        )
    if name == "accept":
        return "nothing stands behind `- accept:`" if value else ""
    if name == "done":
        return "" if is_date(value) else "write the day, as 2026-11-22"
    return "" if value.strip() else "write none where there is nothing to say"


def short(text: str) -> str:
    """Return a line as it may be shown in a message."""
    return repr(text if len(text) <= 60 else f"{text[:57]}…")
