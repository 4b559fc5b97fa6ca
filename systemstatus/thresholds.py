"""Every budget of System Status: when a figure is a warning, when critical, and when it is well again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

Number = int | float
Pair = tuple[Number, Number]
MINUTES_A_DAY: Final = 1440
GROUPED_FROM: Final = 10_000
# Limits that the owners of single targets set: by the row's id, from a target to its pair, if it has one.
own_limits: Final[dict[str, Callable[[str], Pair | None]]] = {}


@dataclass(frozen=True)
class Threshold:
    """One row of the table.

    Attributes:
        id: the metric's name in snapshots, and of the rule. unit: as it is written behind the figure.
        warning, critical: reached is breached; with `below`, less is.
        warning_clear, critical_clear: reached on the way back, the breach is over; None: as it began.
        window_min: minutes of snapshots that the figure stands for; 0 where the note says how it is judged.
        at_least: fewer samples in the window, and the row says n/a; samples: what is counted.
        by_target: (warning, critical) of single targets, or of modules, that have their own.
        warning_pair, critical_pair: long and short window in minutes; both must be over.
        failures: failed probes in a row that are a warning, and critical, where calls are too few to judge.
        failed_after, well_after: cycles in breach until it counts, and without until it is over; None: the
            defaults of the alert engine.
        note: what else holds of the row, in words.
    """

    id: str
    metric: str
    unit: str
    warning: Number
    critical: Number
    window_min: int = 1
    warning_clear: Number | None = None
    critical_clear: Number | None = None
    below: bool = False
    at_least: int = 0
    samples: str = ""
    by_target: Mapping[str, Pair] = field(default_factory=dict)
    warning_pair: tuple[int, int] | None = None
    critical_pair: tuple[int, int] | None = None
    failures: tuple[int, int] | None = None
    failed_after: int | None = None
    well_after: int | None = None
    note: str = ""

    def limits(self, target: str = "", module: str = "") -> Pair:
        """Return the warning and the critical limit of a target of a module: its own, else the row's."""
        own = own_limits[self.id](target) if self.id in own_limits else None
        return own or self.by_target.get(target or module, (self.warning, self.critical))


THRESHOLDS: Final[tuple[Threshold, ...]] = (
    Threshold("api.p50", "API latency p50", "ms", 200, 400, 5, at_least=20, samples="requests"),
    Threshold("api.p95", "API latency p95", "ms", 500, 1000, 5, at_least=20, samples="requests"),
    Threshold("api.p99", "API latency p99", "ms", 1000, 2500, 10, at_least=20, samples="requests"),
    Threshold("api.errors", "5xx share", "%", 1, 5, 5, at_least=50, samples="requests"),
    Threshold(
        "api.burn",
        "error-budget burn, SLO 99.9 %",
        "x",
        6,
        14.4,
        0,
        warning_pair=(360, 30),
        critical_pair=(60, 5),
        note="paired",
    ),
    Threshold(
        "api.exceptions", "unhandled exceptions", "per h", 20, 50, 60, note="a new group warns at once"
    ),
    Threshold("db.connections", "connections used", "%", 80, 90, 2, warning_clear=70, critical_clear=80),
    Threshold(
        "db.cache_hit", "buffer cache hit", "%", 99, 95, 15, below=True, at_least=10_000, samples="blocks"
    ),
    Threshold("db.longest_query", "longest running query", "s", 60, 300, 1),
    Threshold("db.idle_in_tx", "oldest idle in transaction", "s", 60, 300, 1),
    Threshold("db.lock_wait", "longest lock wait", "s", 10, 60, 1),
    Threshold("db.lock_table", "lock table used", "%", 20, 50, 2),
    Threshold("db.deadlocks", "deadlocks", "per 5 min", 1, 25, 5),
    Threshold("db.replica_lag", "replica lag", "s", 5, 30, 1, note="n/a without a replica"),
    Threshold("db.inactive_slot", "inactive replication slot", "min", 1, 30, 1),
    Threshold("db.dead_tuples", "dead tuples, tables from 10,000 rows", "%", 10, 30, 10),
    Threshold(
        "db.bloat",
        "estimated bloat, tables from 200 MB",
        "%",
        70,
        80,
        60,
        warning_clear=60,
        critical_clear=70,
    ),
    Threshold("db.xid_age", "oldest transaction id age", "transactions", 650_000_000, 1_500_000_000, 10),
    Threshold("db.sequence", "sequence used", "%", 80, 90, 60),
    Threshold("queue.oldest", "oldest waiting job", "s", 60, 300, 2, note="per-queue override"),
    Threshold("queue.depth", "waiting jobs", "jobs", 100, 1000, 5),
    Threshold("queue.failures", "job failure share", "%", 5, 20, 15, at_least=20, samples="runs"),
    Threshold("queue.worker_heartbeat", "worker heartbeat age", "s", 30, 60, 1),
    Threshold("queue.progress", "running job without progress", "s", 120, 300, 1, note="per-job override"),
    Threshold("queue.canary", "canary round trip per queue", "s", 60, 300, 1),
    Threshold("queue.beat_lateness", "schedule lateness", "s", 60, 180, 1),
    Threshold("cache.memory", "Redis memory of its maximum", "%", 80, 90, 2),
    Threshold("cache.evictions", "evictions", "per min", 10, 1000, 5, by_target={"broker": (1, 1)}),
    Threshold("cache.rtt", "Redis round trip, 5 of 5 samples", "ms", 10, 50, 5),
    Threshold("cache.hit", "cache hit", "%", 80, 50, 15, below=True, at_least=1000, samples="operations"),
    Threshold("storage.probe", "R2 put + get + delete", "ms", 1000, 3000, 5, failures=(2, 3)),
    Threshold(
        "integration.p95",
        "integration latency p95",
        "ms",
        1000,
        3000,
        10,
        by_target={"openai": (10_000, 30_000)},
    ),
    Threshold(
        "integration.failures",
        "failed integration calls",
        "%",
        5,
        20,
        10,
        at_least=20,
        samples="calls",
        failures=(2, 3),
    ),
    Threshold(
        "tls.days",
        "certificate or domain days left",
        "days",
        21,
        7,
        MINUTES_A_DAY,
        below=True,
    ),
    Threshold("portal.ttfb", "time to first byte p75", "ms", 800, 1800, 60),
    Threshold(
        "portal.lcp", "largest contentful paint p75", "ms", 2500, 4000, 60, at_least=50, samples="visits"
    ),
    Threshold(
        "portal.inp", "interaction to next paint p75", "ms", 200, 500, 60, at_least=50, samples="visits"
    ),
    Threshold(
        "portal.cls", "cumulative layout shift p75", "score", 0.1, 0.25, 60, at_least=50, samples="visits"
    ),
    Threshold(
        "portal.availability",
        "availability over 30 days",
        "%",
        99.9,
        99.5,
        30 * MINUTES_A_DAY,
        below=True,
        failed_after=3,
        well_after=2,
    ),
    Threshold("host.disk", "disk used", "%", 70, 90, 5),
    Threshold("cost.rollup_age", "time since the last complete rollup", "h", 26, 30, 1),
    Threshold(
        "cost.budget",
        "daily cap used, each scope",
        "%",
        80,
        100,
        1,
        note="critical for the global scope only",
    ),
    Threshold("collector.age", "newest snapshot's age", "s", 120, 300, 0, note="judged by the web process"),
    Threshold("collector.pass", "length of one collector pass", "s", 30, 45, 2),
    Threshold("alerts.unsent", "oldest unsent notification", "s", 60, 300, 2),
)
BY_ID: Final[Mapping[str, Threshold]] = {row.id: row for row in THRESHOLDS}


def budgets() -> dict[str, str]:
    """Return every limit by the name that docs/DECISIONS.md sets it with, as `db.connections.warning`."""
    return {
        f"{row.id}.{name}": written(limit)
        for row in THRESHOLDS
        for name, limit in (("warning", row.warning), ("critical", row.critical))
    }


def as_table() -> Iterator[tuple[str, ...]]:
    """Yield the table's rows as docs/UI_SPEC.md writes them: id, metric, unit, warning, critical, window."""
    for row in THRESHOLDS:
        yield (row.id, row.metric, row.unit, limit_text(row, 0), limit_text(row, 1), window_text(row))


def limit_text(row: Threshold, place: int) -> str:
    """Return a limit in words: 'below 99', '80 (70)', '10 (broker 1)', '6 (6 h and 30 min)'."""
    clear = (row.warning_clear, row.critical_clear)[place]
    pair = (row.warning_pair, row.critical_pair)[place]
    told = [written(clear)] if clear is not None else []
    told += [" and ".join(span(minutes) for minutes in pair)] if pair else []
    told += [f"{target} {written(limits[place])}" for target, limits in row.by_target.items()]
    text = f"{'below ' if row.below else ''}{written((row.warning, row.critical)[place])}"
    return f"{text} ({'; '.join(told)})" if told else text


def window_text(row: Threshold) -> str:
    """Return the window in words: '5, from 20 requests', '30 d; failed after 3, well after 2'."""
    parts = [span(row.window_min)] if row.window_min else []
    if row.at_least:
        parts[-1] += f", from {row.at_least:,} {row.samples}"
    if row.failures:
        parts.append("or {} / {} failed probes in a row".format(*row.failures))
    if row.failed_after:
        parts.append(f"down after {row.failed_after}, up after {row.well_after}")
    return "; ".join([*parts, row.note] if row.note else parts)


def span(minutes: int) -> str:
    """Return a length of time as short as it can be written."""
    if minutes % MINUTES_A_DAY == 0:
        return f"{minutes // MINUTES_A_DAY} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def written(number: Number) -> str:
    """Return a number as the table writes it: with separators from ten thousand on."""
    return f"{number:,}" if number >= GROUPED_FROM else str(number)
