"""Drives a budget's figure over its limits and back, pass by pass, through the real collector and engine."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.utils import timezone

from systemstatus import findings, registry
from systemstatus.alerts import engine
from systemstatus.collector import collect_snapshot
from systemstatus.models import Alert
from systemstatus.registry import Metric, Module, Probe, Reading, Value
from systemstatus.thresholds import BY_ID
from tests.systemstatus.watched import module, only

WELL, WARNING, CRITICAL = 0, 1, 2
LONG_MIN: Final = 15
STEPS_A_WINDOW: Final = 6
REACH_MIN: Final = 60
ENOUGH: Final = 16


@dataclass
class World:
    """What a row may change: the time, settings, parts of modules; all of it is put back afterwards.

    values: what a probe answers that stands in for one that is not there. kept: what a row notes for itself.
    """

    patch: pytest.MonkeyPatch
    settings: Any
    folder: Path
    at: datetime
    values: dict[str, Value] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)


def nothing(world: World) -> AbstractContextManager[Any]:
    return nullcontext()


@dataclass(frozen=True)
class Row:
    """How one budget is driven.

    module, probes: whose metric it is, and which of its probes measure it; without probes it is driven at
    the reading. make: brings a level about before each pass. around: what stands by all the while.
    told: the severity at each level. source: who tells of the rule. step_min: minutes between two passes.
    collects: False where levels come of passes that do not happen. name: where a budget has several rows.
    """

    budget: str
    module: str
    probes: tuple[str, ...]
    make: Callable[[World, int], Any]
    around: Callable[[World], AbstractContextManager[Any]] = nothing
    told: tuple[str, str, str] = ("", "warning", "critical")
    source: str = "snapshots"
    step_min: int = 0
    collects: bool = True
    name: str = ""

    def __str__(self) -> str:
        return " of ".join(part for part in (self.budget, self.name) if part)

    @property
    def reach_min(self) -> int:
        """Minutes until nothing from before is in the window; what covers days itself is judged at once."""
        return min(BY_ID[self.budget].window_min, REACH_MIN)

    @property
    def minutes(self) -> int:
        """Minutes between two passes: a long window is filled with few, as where some are missed."""
        return self.step_min or (self.reach_min // STEPS_A_WINDOW if self.reach_min > LONG_MIN else 1)


def watched(row: Row, world: World) -> Module:
    """Return the registered module of a budget with its metric and the probes named, or one in its place."""
    own = registry.registered.get(row.module) or module("one")
    metrics = tuple(metric for metric in own.metrics if metric.budget == row.budget)
    if not row.probes:
        instead = Probe("look", lambda: Reading(dict(world.values)))
        return replace(own, probes=(instead,), metrics=metrics or (metric_of(row.budget),), depends_on=())
    probes = tuple(probe for probe in own.probes if probe.name in row.probes)
    assert len(probes) == len(row.probes), f"{row.module} lacks one of {row.probes}"
    assert metrics, f"{row.module} has no metric that {row.budget} judges"
    return replace(own, probes=probes, metrics=metrics, depends_on=())


def metric_of(budget: str) -> Metric:
    return Metric(budget, "", budget, budget)


def drive(row: Row, world: World) -> None:
    """Hold well, warning, critical and well again, each until it is told; what falls may pass a warning."""
    world.kept["clock"] = timezone.now
    world.patch.setattr(timezone, "now", lambda: world.at)
    world.patch.setattr(engine, "sources", {row.source: findings.sources[row.source]})
    with only(watched(row, world)), row.around(world):
        for _ in range(3):
            cycle(row, world, WELL)
        assert told(row) == row.told[WELL]
        for level in (WARNING, CRITICAL, WELL):
            hold(row, world, level)


def hold(row: Row, world: World, level: int) -> None:
    """Bring a level about and keep it until it is told."""
    before, wanted = told(row), row.told[level]
    most = ENOUGH + row.reach_min // row.minutes
    for _ in range(most):
        cycle(row, world, level)
        if (now := told(row)) == wanted:
            return
        is_on_the_way = now == before or (now == "warning" and level == WELL)
        assert is_on_the_way, f"{row} told {now!r} on the way from {before!r} to {wanted!r}"
    raise AssertionError(f"{row} told {told(row)!r}, not {wanted!r}, after {most} passes")


def cycle(row: Row, world: World, level: int) -> None:
    """Let time pass, bring the level about, collect and evaluate."""
    world.at += timedelta(minutes=row.minutes)
    row.make(world, level)
    if row.collects or level == WELL:
        collect_snapshot(world.at)
    engine.evaluate_registered(world.at)


def told(row: Row) -> str:
    """Return the worst severity of the budget's open alerts; '' where none fired."""
    fired = Alert.objects.filter(rule=row.budget, closed_at=None, fired_at__isnull=False)
    severities = set(fired.values_list("severity", flat=True))
    return next((one for one in ("critical", "warning") if one in severities), "")


def at_reading(budget: str, well: Value, warning: Value, critical: Value) -> Row:
    """Return a row of a figure that no module measures yet, or none could be made to."""
    levels: tuple[Mapping[str, Value], ...] = ({budget: well}, {budget: warning}, {budget: critical})
    return Row(budget, "", (), lambda world, level: world.values.update(levels[level]))
