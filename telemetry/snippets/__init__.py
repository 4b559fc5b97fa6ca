"""What the page and the README show to copy: whole files, run as they are by a test."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Snippet:
    """One way to record: its file's name without the ending, its heading, a sentence on what it records."""

    name: str
    title: str
    says: str

    @property
    def element(self) -> str:
        """The id of the element that shows it."""
        return f"code-{self.name}"

    @property
    def copy_label(self) -> str:
        """What the button says that copies it."""
        return f"Copy: {self.title}"

    @property
    def code(self) -> str:
        """The program, without the line break at its end."""
        return read(self.name)


SNIPPETS: Final = (
    Snippet(
        "view", "A Django view", "The block is one job: its time, CPU and rows, and its error if it fails."
    ),
    Snippet(
        "task",
        "Celery tasks",
        "Every attempt of every task: queue wait, retries, time limits, killed workers.",
    ),
    Snippet(
        "script", "A script", "A block, and a last line that waits for the database, five seconds at most."
    ),
    Snippet("coroutine", "An asyncio coroutine", "Every call is one job; CPU is that of its own steps."),
    Snippet(
        "openai_call", "An OpenAI call", "Tokens as they are billed, cached and reasoning tokens told apart."
    ),
)


@cache
def read(name: str) -> str:
    """Return the text of a snippet's file."""
    return (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8").strip()
