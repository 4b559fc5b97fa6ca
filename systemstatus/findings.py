"""What rules say of the product; the one way into the alert engine, for every app."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """How a rule finds its target. INFO is told once; NO_DATA and ERROR are never green."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """What one rule found of one target in one cycle.

    Attributes:
        rule: db.connections, cost.unpriced. module: whose it is, as the registry names it.
        target: a queue, a route, a scope; empty where the module has one of these only.
        message: one sentence. core: False caps its severity at warning.
        caused_by: the module whose failure explains this one; its alert mutes this one's notices.
        breach_cycles, recovery_cycles: how many in a row until it fires and until it is over; None: the
            engine's defaults. since: when it began, where the rule knows better than the engine.
    """

    rule: str
    module: str
    target: str
    level: Level
    value: float | Decimal | None
    message: str
    unit: str = ""
    core: bool = True
    caused_by: str = ""
    breach_cycles: int | None = None
    recovery_cycles: int | None = None
    since: datetime | None = None


Source = Callable[[datetime], Iterable[Finding]]
sources: Final[dict[str, Source]] = {}


def register_findings(name: str, function: Source) -> None:
    """Have a source asked each cycle with the time; raises ValueError for a name that is taken or none.

    What a source told in one cycle and leaves out in the next counts as well again.
    """
    if not 0 < len(name) <= 40:
        raise ValueError(f"{name!r} is no name of a source of findings: use 1 to 40 characters")
    if sources.get(name, function) is not function:
        raise ValueError(f"a source of findings named {name} is registered already")
    sources[name] = function
