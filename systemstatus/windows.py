"""A budget's figure over its window of snapshots: the least bad minute, a share, a sum, a quantile."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final, TypeVar

from systemstatus.models import Seen
from systemstatus.thresholds import MINUTES_A_DAY, Threshold
from telemetry.histograms import Histogram

# By how much counts grew within the window: good and bad ones of a share, or one a span.
SHARES: Final = {
    "db.cache_hit": ("db.blocks_hit_total", "db.blocks_read_total"),
}
GROWTH: Final = {"db.deadlocks": "db.deadlocks_total"}
# Counts of single minutes, added up: those of one sort of all, or one.
PARTS: Final = {
    "queue.failures": ("queue.failed", "queue.runs"),
    "api.errors": ("api.errors_5xx", "api.requests"),
    "cache.hit": ("cache.hits", "cache.lookups"),
    "integration.failures": ("integration.failed", "integration.calls"),
}
SUMS: Final = {"api.exceptions": "api.exceptions_count"}
# Histograms of single minutes, merged; with the share of calls that stayed within the figure.
QUANTILES: Final = {
    "api.p50": ("api.latency", 0.5),
    "api.p95": ("api.latency", 0.95),
    "api.p99": ("api.latency", 0.99),
    "integration.p95": ("integration.latency", 0.95),
    "portal.ttfb": ("portal.ttfb_told", 0.75),
    "portal.lcp": ("portal.lcp_told", 0.75),
    "portal.inp": ("portal.inp_told", 0.75),
    "portal.cls": ("portal.cls_told", 0.75),
}
# Where the table names no number of samples: one slow page after a start is no hour of slow pages.
FEWEST: Final = {"portal.ttfb": 10}
# Scores are counted in thousandths.
UNITS: Final = {"portal.cls": 1000}
# Values of single minutes that a longer span adds up.
ADDED: Final = frozenset(
    [
        *(name for pair in PARTS.values() for name in pair),
        *SUMS.values(),
        *(name for name, _ in QUANTILES.values()),
        "api.status",
        "api.minutes",
        "portal.checks",
        "portal.failed",
        "portal.visits",
    ]
)

Row = TypeVar("Row", bound=Seen)


def within(budget: Threshold, rows: Sequence[Row], *, least_min: int = 1) -> list[Row]:
    """Return the rows of a budget's window, which ends with the newest; rows: newest first.

    What grew within the window takes the count from before it as well. least_min: the grain of the rows.
    """
    before = int(budget.id in SHARES or budget.id in GROWTH)
    since = timedelta(minutes=max(budget.window_min, least_min) + before)
    return [row for row in rows if rows[0].captured_at - row.captured_at < since]


def figures(budget: Threshold, window: Sequence[Seen]) -> dict[str, float]:
    """Return a budget's figure over its window, by target; nothing where there are too few samples.

    Of what is measured each minute the least bad value counts: the whole window has to be in breach.
    """
    if budget.id in SHARES:
        good, bad = (grown(window, name) for name in SHARES[budget.id])
        return share(good, good + bad, budget)
    if budget.id in PARTS:
        some, every = (added(window, name) for name in PARTS[budget.id])
        return share(some, every, budget)
    if budget.id in QUANTILES:
        found = quantile(window, *QUANTILES[budget.id], at_least=fewest(budget))
        unit = UNITS.get(budget.id)
        return {target: round(value / unit, 3) for target, value in found.items()} if unit else found
    if budget.id in SUMS:
        return {"": added(window, SUMS[budget.id])} if measures(window, SUMS[budget.id]) else {}
    if budget.id in GROWTH:
        return {"": grown(window, GROWTH[budget.id])}
    if budget.window_min >= MINUTES_A_DAY:  # the figure itself covers its days
        return least_bad(budget, window[:1])
    return least_bad(budget, window)


def names_of(budget: Threshold) -> list[str]:
    """Return the values in snapshots that a budget is judged by."""
    named = [*SHARES.get(budget.id, ()), *PARTS.get(budget.id, ())]
    named += [str(QUANTILES[budget.id][0])] if budget.id in QUANTILES else []
    return [budget.id, *named, *(one[budget.id] for one in (GROWTH, SUMS) if budget.id in one)]


def least_bad(budget: Threshold, window: Sequence[Seen]) -> dict[str, float]:
    """Return the best value of each target within the window."""
    found: dict[str, list[float]] = {}
    for row in window:
        value = row.values.get(budget.id, {})
        for target, one in (value if isinstance(value, Mapping) else {"": value}).items():
            found.setdefault(target, []).append(one)
    return {target: (max if budget.below else min)(values) for target, values in found.items()}


def share(part: float, whole: float, budget: Threshold) -> dict[str, float]:
    """Return a share in percent, from enough samples."""
    return {"": round(100 * part / whole, 2)} if whole >= max(1, budget.at_least) else {}


def fewest(budget: Threshold) -> int:
    """Return how many samples a quantile takes."""
    return max(1, int(budget.at_least), FEWEST.get(budget.id, 1))


def quantile(window: Sequence[Seen], name: str, part: float, *, at_least: int) -> dict[str, float]:
    """Return the quantile of merged histograms in milliseconds, from enough samples."""
    counts: Counter[int] = Counter()
    for row in window:
        counts.update({int(bucket): int(count) for bucket, count in row.values.get(name, {}).items()})
    merged = Histogram(counts)
    value = merged.quantile_ms(part) if merged.count >= at_least else None
    return {} if value is None else {"": round(value, 1)}


def measures(window: Sequence[Seen], name: str) -> bool:
    return any(name in row.values for row in window)


def added(window: Sequence[Seen], name: str) -> float:
    """Return the sum of the minutes' counts."""
    return float(sum(row.values.get(name, 0) for row in window))


def grown(window: Sequence[Seen], name: str) -> float:
    """Return by how much a count grew; one that fell was begun anew."""
    counts: list[float] = [row.values[name] for row in reversed(window) if name in row.values]
    steps = pairwise(counts)
    return sum(after - before if after >= before else after for before, after in steps)
