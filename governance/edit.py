"""Makes new text for documents: entries sealed and appended, tasks added, fields and lines changed."""

from dataclasses import dataclass, field
from datetime import date

from governance import chain, decisions
from governance.decisions import Log
from governance.todo import DONE_FIELDS, FIELDS, Task, Todo


@dataclass
class Draft:
    """A decision that has no number yet. sets holds lines such as 'budget.api.p95 500 -> 400'."""

    title: str
    context: str
    decision: str
    consequences: str
    day: date
    kind: str = "decision"
    by: str = "HealthPilot developers"
    task: str = "none"
    supersedes: str = "none"
    sets: list[str] = field(default_factory=list)

    def body(self, number: int) -> str:
        """Return the entry's text, from its heading to the last line that the seal covers."""
        lines = [
            f"### D-{number:04d} — {one_line(self.title)}",
            f"- date: {self.day.isoformat()}",
            *(f"- {name}: {one_line(getattr(self, name))}" for name in ("kind", "by", "task", "supersedes")),
            *(f"- sets: {one_line(text)}" for text in self.sets),
        ]
        for title, prose in zip(
            decisions.SECTIONS, (self.context, self.decision, self.consequences), strict=True
        ):
            lines += [f"#### {title}", *prose.strip().replace("\r\n", "\n").split("\n")]
        return "\n".join(lines).rstrip()


def one_line(text: str) -> str:
    """Return a text on one line, its white space made single."""
    return " ".join(text.split())


def with_entry(text: str, log: Log, draft: Draft) -> tuple[str, str]:
    """Return docs/DECISIONS.md with one more sealed entry, and the entry's id."""
    number = max((entry.number for entry in log.entries), default=0) + 1
    prev = log.entries[-1].seal if log.entries else chain.FIRST
    return f"{text.rstrip()}\n\n{sealed(draft.body(number), prev)}\n", f"D-{number:04d}"


def sealed(body: str, prev: str) -> str:
    """Return an entry's text with the two lines that seal it."""
    return f"{body}\n- prev: {prev}\n- seal: {chain.seal(prev, body)}"


def next_task_id(todo: Todo) -> str:
    """Return the id after the highest that was ever given."""
    return f"T-{max((int(task.id[2:]) for task in todo.tasks), default=0) + 1:04d}"


def with_task(text: str, lines: list[str]) -> str:
    """Return docs/TODO.md with one more task at its end."""
    return f"{text.rstrip()}\n\n" + "\n".join(lines) + "\n"


def changed(text: str, task: Task, lines: list[str]) -> str:
    """Return docs/TODO.md with a task's lines in the place of those it has now."""
    every = text.split("\n")
    return "\n".join([*every[: task.line - 1], *lines, *every[task.last_line :]])


def written(task: Task) -> list[str]:
    """Return a task as its lines."""
    lines = [f"### {task.id} — {task.title}"]
    for name in FIELDS:
        if name not in task.fields:
            continue
        value = task.value(name)
        lines.append(f"- {name}: {value}".rstrip())
        if name == "accept":
            lines += [
                f"  - [{'x' if item.ticked else ' '}] A{item.number} {item.kind}: {item.text}"
                for item in task.acceptance
            ]
        if name == "done":
            lines += [f"  - {key}: {task.closing[key][0]}" for key in DONE_FIELDS if key in task.closing]
    return lines
