"""Shows how far long work has come: a bar on a terminal, a plain line every few seconds elsewhere."""

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

PLAIN_EVERY_S = 5.0


class Meter:
    """Callable with (phase, done, total or None); a context manager that leaves the terminal clean.

    Writes to the stream given, standard error as a rule, and not at all when `quiet`.
    """

    def __init__(self, stream: Any, *, unit: str, quiet: bool = False) -> None:
        self.unit, self.quiet = unit, quiet
        self._stream = stream
        self._console = Console(file=stream)
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said_at = time.monotonic()

    def __enter__(self) -> "Meter":
        if self._console.is_terminal and not self.quiet:
            amount = TextColumn(f"{{task.completed:,.0f}} {self.unit}")
            columns = (TextColumn("{task.description:<10}"), BarColumn(), TaskProgressColumn(), amount)
            self._bar = Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        if self._bar:
            self._draw(self._bar, phase, done, total)
        elif not self.quiet and time.monotonic() - self._said_at >= PLAIN_EVERY_S:
            self._said_at = time.monotonic()
            share = f" ({100 * done // total} %)" if total else ""
            self._stream.write(f"{phase}: {done:,} {self.unit}{share}\n")

    def _draw(self, bar: Progress, phase: str, done: int, total: int | None) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = bar.add_task(phase, total=total)
        changes: dict[str, Any] = {"completed": done, "total": total}
        bar.update(self._tasks[phase], **changes)
