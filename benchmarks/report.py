"""What a run prints: one table for people, one list for scripts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Measurement

PLAIN_WIDTH = 150


@dataclass(frozen=True)
class Row:
    """A figure with what was found, or why nothing could be."""

    figure: Figure
    found: Measurement | None
    failure: str = ""


def as_json(rows: Sequence[Row]) -> str:
    """Return the rows as a JSON list; an unmeasured figure has a null ratio, and the reason as its note."""
    return json.dumps([as_record(row) for row in rows], indent=2, ensure_ascii=False)


def as_record(row: Row) -> dict[str, object]:
    figure, found = row.figure, row.found
    return {
        "id": figure.id,
        "figure": figure.figure,
        "against": figure.against,
        "ratio": round(found.ratio.median, 4) if found else None,
        "spread": [round(found.ratio.low, 4), round(found.ratio.high, 4)] if found else None,
        "bound": figure.bound,
        "goal": figure.goal,
        "pass": bool(found and figure.passes(found)),
        "runs": found.runs if found else 0,
        "note": found.note if found else row.failure,
    }


def show(rows: Sequence[Row], *, title: str) -> None:
    """Print the table to standard output, and below it what each figure has to add."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("id", "figure", "against"):
        table.add_column(heading)
    for heading in ("ratio", "spread", "goal", ""):
        table.add_column(heading, no_wrap=True, justify="right")
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    for row in rows:
        console.print(
            f"{row.figure.id}: {row.found.note if row.found else row.failure}", markup=False, highlight=False
        )


def cells(row: Row) -> tuple[str, ...]:
    figure, found = row.figure, row.found
    goal = f"{figure.bound} {figure.goal:g}"
    if not found:
        return (figure.id, figure.figure, figure.against, "", "", goal, "[red]not measured[/]")
    verdict = "[green]pass[/]" if figure.passes(found) else "[yellow]short[/]"
    ratio, spread = f"{found.ratio.median:.3g}", f"{found.ratio.low:.3g}–{found.ratio.high:.3g}"
    return (figure.id, figure.figure, figure.against, ratio, spread, goal, verdict)
