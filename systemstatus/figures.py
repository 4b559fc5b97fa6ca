"""Every figure of a module at a moment, judged by its budget just as alerts are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from systemstatus import judging, queries, windows
from systemstatus.findings import Level
from systemstatus.models import Seen
from systemstatus.moment import Moment
from systemstatus.registry import Metric, Module
from systemstatus.standing import ERROR, NONE, OK, UNKNOWN, WARN
from systemstatus.thresholds import BY_ID, Threshold
from systemstatus.wording import figure_text, limit_words

BY_LEVEL: Final = {Level.OK: OK, Level.WARNING: WARN, Level.CRITICAL: ERROR}
MOST_TARGETS: Final = 20
LOOK_BACK_MIN: Final = 61


@dataclass(frozen=True)
class Figure:
    """One metric of a module, of one target where it has several.

    value: None where nothing was measured or samples are too few. status: ok, warn, error by the budget;
    unknown without a snapshot; empty where no budget judges it or it does not apply.
    """

    module: Module
    metric: Metric
    target: str
    value: float | None
    status: str
    budget: Threshold | None
    captured_at: datetime | None

    @property
    def text(self) -> str:
        """The value as a person reads it; n/a where it does not apply."""
        if self.value is not None:
            return figure_text(self.value, self.metric.unit)
        return "unknown" if self.status == UNKNOWN else "n/a"

    @property
    def limits(self) -> str:
        """From where it is a warning and critical, in words; empty without a budget."""
        return limit_words(self.budget, self.target, self.module.name) if self.budget else ""


def figures_of(modules: Sequence[Module], moment: Moment) -> dict[str, list[Figure]]:
    """Return the figures of modules by their names, in the order that they declare; one query."""
    windows = windows_of([module.name for module in modules], moment)
    return {module.name: list(of_module(module, windows.get(module.name, []), moment)) for module in modules}


def windows_of(names: Sequence[str], moment: Moment) -> Mapping[str, list[Seen]]:
    """Return the last hour of modules up to the newest snapshot, the newest first."""
    if moment.newest is None:
        return {}
    return queries.window(names, moment.newest, LOOK_BACK_MIN, moment.grain)


def of_module(module: Module, rows: Sequence[Seen], moment: Moment) -> Iterator[Figure]:
    """Yield the figures of one module; rows: its last hour, the newest first."""
    for metric in module.metrics:
        budget = BY_ID.get(metric.budget)
        found = measured(metric, budget, rows, moment)
        listed = sorted(found.items(), key=lambda one: badness(budget, *one), reverse=True)
        for target, value in listed[:MOST_TARGETS]:
            yield Figure(
                module, metric, target, value, status_of(budget, module, target, value, moment), budget,
                moment.newest,
            )  # fmt: skip
        if not found:
            status = UNKNOWN if moment.is_gone or not rows else NONE
            yield Figure(module, metric, "", None, status, budget, moment.newest)


def measured(
    metric: Metric, budget: Threshold | None, rows: Sequence[Seen], moment: Moment
) -> Mapping[str, float]:
    """Return a metric's value by target: over its budget's window, or the newest one."""
    if not rows or moment.newest is None:
        return {}
    if budget is None or budget.window_min < 1:
        value = rows[0].values.get(metric.id, {})
        return value if isinstance(value, Mapping) else {"": value}
    return windows.figures(budget, windows.within(budget, rows, least_min=moment.grain.minutes))


def status_of(budget: Threshold | None, module: Module, target: str, value: float, moment: Moment) -> str:
    if moment.is_gone:
        return UNKNOWN
    if budget is None:
        return NONE
    return BY_LEVEL[judging.level_of(budget, target, value, "", module=module.name)]


def badness(budget: Threshold | None, target: str, value: float) -> float:
    return -value if budget and budget.below else value
