"""The figures in the order they run: what is measured, against what, the goal. Each has its own module."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from benchmarks.sizes import Sizes
from benchmarks.timing import Spread


@dataclass(frozen=True)
class Bench:
    """What a figure gets: the sizes of this run, and a way to say what it does."""

    sizes: Sizes
    say: Callable[[str], None]


@dataclass(frozen=True)
class Measurement:
    """What a figure found; holds is a condition beside the ratio that the figure also needs."""

    ratio: Spread
    runs: int
    note: str
    holds: bool = True


@dataclass(frozen=True)
class Figure:
    """One line of the table. The ratio is to be at least or at most the goal."""

    id: str
    module: str
    figure: str
    against: str
    bound: Literal["≥", "≤"]
    goal: float

    def measure(self, bench: Bench) -> Measurement:
        """Run the figure's module; raises whatever goes wrong there."""
        module = importlib.import_module(f"benchmarks.{self.module}")
        return cast(Measurement, module.measure(bench))

    def passes(self, found: Measurement) -> bool:
        """Say whether the median reaches the goal and the side condition holds."""
        reached = found.ratio.median >= self.goal if self.bound == "≥" else found.ratio.median <= self.goal
        return reached and found.holds


FIGURES = [
    Figure(
        "P1",
        "p01_copy",
        "shipped ingest, batches of 1000, both event tables",
        "raw COPY into the same tables and indexes",
        "≥",
        0.6,
    ),
    Figure(
        "P2",
        "p02_ingest",
        "shipped ingest, batches of 1000, both event tables",
        "Django bulk_create(1000)",
        "≥",
        10.0,
    ),
    Figure("P3", "p03_recorded", "recorded call, durable", "OpenTelemetry SDK span, not durable", "≤", 0.2),
    Figure("P4", "p04_shipped", "recorded call until it is in PostgreSQL", "the same span", "≤", 0.4),
    Figure("P7", "p07_partials", "ingest with the partials kept current", "ingest without", "≥", 0.8),
    Figure("P5", "p05_rollup", "day rollup from raw", "count(*) of the same rows, one process", "≤", 8.0),
    Figure(
        "P6",
        "p06_close",
        "nightly close from the partials",
        "DuckDB, two threads, raw columns in memory",
        "≤",
        1.0,
    ),
    Figure("P8", "p08_growth", "rollup cost growth, ten times the events", "the smaller day", "≤", 11.0),
    Figure("P9", "p09_budget", "budget check over every scope", "PING over the same connection", "≤", 1.15),
    Figure("P10", "p10_celery", "Celery throughput with telemetry", "the same worker without", "≥", 0.95),
    Figure("P12", "p12_ranges", "30-day summary and top users", "SELECT 1", "≤", 5.0),
    Figure(
        "P17",
        "p17_preflight",
        "governance preflight, 400 tasks, 300 decisions",
        "its budget of 30 ms (warm: 1 ms)",
        "≤",
        1.0,
    ),
    Figure(
        "P11",
        "p11_page",
        "/admin/cost over loopback, warm",
        "an empty view behind the same middleware and sign-in",
        "≤",
        2.0,
    ),
    Figure(
        "P13",
        "p13_status",
        "the eleven tabs of System Status, 10,000 snapshots",
        "an empty view behind the same middleware and sign-in",
        "≤",
        3.0,
    ),
    Figure(
        "P14", "p14_middleware", "what counting requests adds, in µs a request", "the view without", "≤", 30.0
    ),
    Figure("P15", "p15_pass", "a collector pass over 40 modules, in seconds", "2 s, 1 % of a core", "≤", 2.0),
    Figure("P16", "p16_weight", "page weight of /admin/cost", "plotly's full bundle alone", "≤", 0.4),
]
