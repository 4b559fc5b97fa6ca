"""P15: one pass of the collector over forty modules, in seconds and in its share of a core."""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Spread

if TYPE_CHECKING:
    from systemstatus.registry import Module

MODULES: Final = 40
PASSES: Final = 20
CORE_SHARE: Final = 0.01


def measure(bench: Bench) -> Measurement:
    """Collect minutes one after the other, the product's own modules and more up to forty, and judge each.

    The share of a core is that of this process; PostgreSQL's own work for it is not in it.
    """
    from systemstatus import registry
    from systemstatus.alerts.engine import evaluate
    from systemstatus.collector import collect_snapshot
    from systemstatus.judging import SOURCE, judge

    own = len(registry.modules())
    for n in range(own, MODULES):
        registry.register(more(n))
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    took, cpu = [], []
    for turn in range(PASSES + 1):
        at += timedelta(minutes=1)
        before, began = sum(os.times()[:2]), time.monotonic()
        collect_snapshot(at)
        lasted = time.monotonic() - began
        evaluate(judge(at), now=at, source=SOURCE)
        if turn:
            took.append(lasted)
            cpu.append(sum(os.times()[:2]) - before)
    share = sum(cpu) / len(cpu) / 60
    note = (
        f"{own} modules of the product and {MODULES - own} more; with judging {share * 60_000:.0f} ms of CPU"
        f" a minute, {100 * share:.2f} % of a core (goal {100 * CORE_SHARE:g} %)"
    )
    return Measurement(Spread.of(took), PASSES, note, holds=share <= CORE_SHARE)


def more(number: int) -> "Module":
    """Return a module that asks PostgreSQL who is connected, and is judged by a budget."""
    from systemstatus.probes.postgres import activity
    from systemstatus.registry import Layer, Metric, Module, Probe

    return Module(
        name=f"more{number}",
        title=f"More {number}",
        layer=Layer.APP,
        core=True,
        owner="benchmarks",
        probes=(Probe("look", activity.activity),),
        metrics=(Metric("db.connections", "%", "Connections used", "db.connections"),),
    )
