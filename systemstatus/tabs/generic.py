"""What any tab can show before it has a page of its own: its modules, their checks and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from systemstatus import figures
from systemstatus.figures import Figure
from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.standing import ERROR, OFF, OK, UNKNOWN, WARN, Standing, of_layers, standings
from systemstatus.wording import figure_text

CHECKS: Final = {
    "ok": (OK, "OK"),
    "warning": (WARN, "Warning"),
    "failed": (ERROR, "Failed"),
    "crashed": (ERROR, "Crashed"),
    "skipped": (UNKNOWN, "Skipped"),
    "unknown": (UNKNOWN, "Unknown"),
    "disabled": (OFF, "Not configured"),
}


@dataclass(frozen=True)
class Check:
    """One check of a module as its newest snapshot tells: how it ended, in how long, and when it was well."""

    name: str
    status: str
    word: str
    ms: float
    error: str
    at: datetime | None
    last_ok: datetime | None

    @property
    def ms_text(self) -> str:
        return figure_text(self.ms, "ms")


@dataclass(frozen=True)
class Part:
    """A module with what is measured of it."""

    standing: Standing
    figures: Sequence[Figure]
    checks: Sequence[Check]


def read(moment: Moment, layers: Sequence[Layer]) -> dict[str, object]:
    """Return the modules of layers with their figures and checks; one query."""
    return {"parts": parts_of(moment, of_layers(standings(moment), layers))}


def parts_of(moment: Moment, found: Sequence[Standing]) -> list[Part]:
    measured = figures.figures_of([one.module for one in found], moment)
    return [Part(one, measured[one.module.name], checks(one, moment)) for one in found]


def checks(one: Standing, moment: Moment) -> list[Check]:
    """Return a module's checks; once snapshots are too old, none of them is known."""
    return [check(told, is_known=not moment.is_gone) for told in (one.row.checks if one.row else ())]


def check(told: Mapping[str, Any], *, is_known: bool = True) -> Check:
    status, word = CHECKS.get(told["state"], CHECKS["unknown"]) if is_known else CHECKS["unknown"]
    times = [datetime.fromisoformat(told[name]) if told[name] else None for name in ("at", "last_ok")]
    return Check(told["name"], status, word, told["ms"], told["error"], *times)
