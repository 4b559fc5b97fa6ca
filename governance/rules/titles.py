"""The rule on titles: no task twice under nearly the same name. Standard library only."""

from governance.documents import TODO
from governance.findings import WARNING, Finding
from governance.parser import words_of
from governance.todo import Task, Todo

NEAR = 0.8


def check(todo: Todo) -> list[Finding]:
    """E012 as an error: the same words in any order."""
    seen: dict[tuple[str, ...], Task] = {}
    found = []
    for task in todo.tasks:
        words = words_of(task.title)
        if words and task.state != "dropped" and seen.setdefault(words, task) is not task:
            found.append(duplicate(task, seen[words], ""))
    return found


def nearly(todo: Todo) -> list[Finding]:
    """E012 as a warning: alike by NEAR or more, but not the same. Too slow for every command."""
    tasks = [task for task in todo.tasks if task.state != "dropped"]
    pairs = [(one, two) for one, two in near(tasks) if words_of(one.title) != words_of(two.title)]
    return [duplicate(later, earlier, WARNING) for earlier, later in pairs]


def duplicate(task: Task, other: Task, level: str) -> Finding:
    """Return the finding for a title that is, or is nearly, another's."""
    message = f"{task.id} '{task.title}' is {'nearly ' if level else ''}{other.id} '{other.title}'."
    hint = f"./run manage governance task extend {other.id} --accept …   or name the difference in the title"
    return Finding("E012", TODO, task.line, message, hint, level)


def near(tasks: list[Task]) -> list[tuple[Task, Task]]:
    """Return the pairs, the earlier first, whose titles are alike by NEAR or more."""
    pairs = []
    shapes = [shape(task.title) for task in tasks]
    sizes = [one.bit_count() for one in shapes]
    for index, (one, size) in enumerate(zip(shapes, sizes, strict=True)):
        for other in [
            n for n in range(index) if (one & shapes[n]).bit_count() * 2 >= NEAR * (size + sizes[n])
        ]:
            pairs.append((tasks[other], tasks[index]))
    return pairs


def alike(title: str, other: str) -> float:
    """Return how alike two titles are, from 0 to 1: Dice's coefficient of their pairs of letters."""
    one, two = shape(title), shape(other)
    return 2 * (one & two).bit_count() / max(1, one.bit_count() + two.bit_count())


def shape(title: str) -> int:
    """Return a title's pairs of neighbouring letters, each a bit among 1024: quick to compare."""
    text = f" {' '.join(words_of(title))} "
    bits = 0
    last = 0
    for letter in map(ord, text):
        bits |= 1 << ((last * 31 + letter) & 1023)
        last = letter
    return bits
