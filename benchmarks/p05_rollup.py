"""P5: rolling a whole day up from its raw events, against merely counting the same rows in one process."""

from datetime import date

from benchmarks import days
from benchmarks.database import COSTS, PARTIALS, empty, execute, tidy, value
from benchmarks.figures import Bench, Measurement
from benchmarks.timing import alternate, seconds
from costs.rollup import DayCost, rollup_costs_for_date

# The partitions of the day hold its rows and no others, so the count needs no condition.
COUNT = """
SELECT (SELECT count(*) FROM telemetry_llm_events_{day:%Y%m%d})
     + (SELECT count(*) FROM telemetry_job_events_{day:%Y%m%d})
"""


def measure(bench: Bench) -> Measurement:
    """Check and mend the day's partials and costs from raw, in turns with count(*) as the planner likes it.

    The partials are there, as in operation; making them from nothing is timed once, for the note.
    """
    day = days.large_day(bench)
    empty(*PARTIALS, *COSTS)
    nothing_s = seconds(lambda: from_raw(day))
    pairs = alternate(
        lambda: from_raw(day),
        lambda: count(day),
        runs=bench.sizes.day_runs,
        before=lambda: tidy(*PARTIALS, *COSTS),
    )
    require_all_counted(from_raw(day))
    partials = value("SELECT count(*) FROM usage_daily WHERE day = %s", [day])
    note = (
        f"{pairs.ours.median:.2f} s against {pairs.peer.median:.2f} s for {count(day):,} events, "
        f"{pairs.ours_rate(count(day)):,.0f} events/s into {partials:,} day partials; "
        f"with no partials there {nothing_s / pairs.peer.median:.1f} ({nothing_s:.2f} s)"
    )
    return Measurement(pairs.cost, bench.sizes.day_runs, note)


def from_raw(day: date) -> DayCost:
    """Roll the day up from raw."""
    return rollup_costs_for_date(day, from_raw=True)


def require_all_counted(cost: DayCost) -> None:
    """Raise AssertionError unless the rollup counted every event: a quick wrong figure is worth nothing."""
    rolled_up, stored = cost.total.jobs + cost.total.ai_calls, count(cost.date)
    if rolled_up != stored:
        raise AssertionError(f"the rollup counted {rolled_up:,} of {stored:,} events")


def count(day: date) -> int:
    """Count the day's rows in one process."""
    execute("SET max_parallel_workers_per_gather = 0")
    try:
        return int(value(COUNT.format(day=day)))
    finally:
        execute("RESET max_parallel_workers_per_gather")
