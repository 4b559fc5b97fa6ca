"""P8: what ten times the events and users cost a rollup from raw, in time and in this process's memory."""

from benchmarks import days
from benchmarks.database import COSTS, PARTIALS, tidy
from benchmarks.figures import Bench, Measurement
from benchmarks.memory import peak_rss_bytes
from benchmarks.p05_rollup import from_raw
from benchmarks.timing import alternate

FLAT_BYTES = 16_000_000


def measure(bench: Bench) -> Measurement:
    """Roll the large and the small day up from raw in turns, then once each with an eye on memory."""
    large, small = days.large_day(bench), days.small_day(bench)
    pairs = alternate(
        lambda: from_raw(large),
        lambda: from_raw(small),
        runs=bench.sizes.day_runs,
        before=lambda: tidy(*PARTIALS, *COSTS),
    )
    small_bytes = peak_rss_bytes(lambda: from_raw(small))
    large_bytes = peak_rss_bytes(lambda: from_raw(large))
    note = (
        f"{bench.sizes.small_events:,} to {bench.sizes.events:,} events, "
        f"{pairs.peer.median:.2f} s to {pairs.ours.median:.2f} s; "
        f"peak memory of this process {small_bytes / 1e6:.0f} MB to {large_bytes / 1e6:.0f} MB"
    )
    return Measurement(pairs.cost, bench.sizes.day_runs, note, holds=large_bytes - small_bytes <= FLAT_BYTES)
