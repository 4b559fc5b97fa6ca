"""The tab Health: every check with how it ended, its last ninety minutes, and what is behind a failure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.http import QueryDict

from healthpilot.web import strips
from systemstatus import heartbeats, runs
from systemstatus.moment import Moment
from systemstatus.phrases import title_of
from systemstatus.registry import Module
from systemstatus.standing import ERROR, OK, RANK, UNKNOWN, WARN, Standing, standings
from systemstatus.tabs import generic
from systemstatus.tabs.generic import Check

RUNS: Final = 90
BAD: Final = {ERROR, UNKNOWN, WARN}
SHOWS: Final = (("", "All"), ("bad", "Not well"))


@dataclass(frozen=True)
class Line:
    """One check of one module, with its last runs and the module whose failure explains it.

    is_first: the first of its module, where links to the module lead.
    """

    module: Module
    check: Check
    runs: Sequence[str]
    cause: str
    is_first: bool = False

    @property
    def is_askable(self) -> bool:
        """Whether somebody may have it run in between."""
        return bool(runs.probes_now(self.module, self.check.name))


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    found = standings(moment)
    lines = lines_of(moment, found)
    show = "bad" if params.get("show") == "bad" else ""
    return {
        "checks": [line for line in lines if not show or line.check.status in BAD],
        "silent": [one for one in found if not (one.row and one.row.checks)],
        "counts": dict(Counter(line.check.word for line in lines)),
        "total": len(lines),
        "well": sum(line.check.status == OK for line in lines),
        "bad": sum(line.check.status in BAD for line in lines),
        "runs": RUNS,
        "show": show,
        "shows": SHOWS,
    }


def lines_of(moment: Moment, found: Sequence[Standing]) -> list[Line]:
    """Return every check, those that are not well first."""
    states = heartbeats.runs_of(moment, RUNS)
    by_name = {one.module.name: one for one in found}
    lines = [
        Line(one.module, check, states.get((one.module.name, check.name), [strips.NO_DATA] * RUNS), cause)
        for one in found
        for check in generic.checks(one, moment)
        for cause in [cause_of(one.module, by_name) if check.status in BAD else ""]
    ]
    return anchored(
        sorted(lines, key=lambda line: -RANK[line.check.status] if line.check.status in BAD else 0)
    )


def anchored(lines: Sequence[Line]) -> list[Line]:
    """Return the lines, the first of each module marked, to which links to the module lead."""
    firsts = {line.module.name: line for line in reversed(lines)}
    return [replace(line, is_first=firsts[line.module.name] is line) for line in lines]


def cause_of(module: Module, by_name: Mapping[str, Standing]) -> str:
    """Return the title of the nearest module below that is down; empty where all of those are well."""
    below = [by_name[name] for name in module.depends_on if name in by_name]
    return next((title_of(one.module.name) for one in below if one.status not in {OK, "info"}), "")
