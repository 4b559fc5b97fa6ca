"""P11: /admin/cost from a real server, warm against an empty view, cold against plotly's own objects."""

from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks import ranges
from benchmarks.database import COSTS, empty, execute
from benchmarks.figures import Bench, Measurement
from benchmarks.server import Site, site
from benchmarks.timing import Pairs, alternate, seconds
from costs.days import local_today

PAGE, EMPTY, OBJECTS = "/admin/cost", "/bench/empty", "/bench/objects"
COLD_GOAL = 0.6
EACH_TURN = 20
# A newer rollup is what makes a kept page old, so this is what makes the next one cold.
ROLL_UP_TODAY = """
INSERT INTO cost_days (date, rolled_up_at) VALUES (%s, clock_timestamp())
ON CONFLICT (date) DO UPDATE SET rolled_up_at = clock_timestamp()"""


def measure(bench: Bench) -> Measurement:
    """Time whole requests over one connection; the ratio is the warm one, and the cold one must hold too."""
    today = local_today(datetime.now(UTC))
    ranges.fill(bench, today)
    try:
        with site() as found:
            age = make_cold(today.isoformat())
            age()
            warm = alternate(often(found, PAGE), often(found, EMPTY), runs=bench.sizes.query_runs)
            cold = cold_pairs(found, age, runs=bench.sizes.query_runs)
    finally:
        empty(*COSTS)
    note = (
        f"warm {ms(warm.ours.median / EACH_TURN)}, empty view {ms(warm.peer.median / EACH_TURN)}; "
        f"cold {ms(cold.ours.median)}, with graph_objects {ms(cold.peer.median)}: "
        f"{cold.cost.median:.2f} ({cold.cost.low:.2f}–{cold.cost.high:.2f}), goal ≤ {COLD_GOAL}"
    )
    return Measurement(warm.cost, bench.sizes.query_runs, note, holds=cold.cost.median <= COLD_GOAL)


def make_cold(day: str) -> Callable[[], None]:
    """Return what makes every page that is kept old."""
    return lambda: execute(ROLL_UP_TODAY, [day])


def often(found: Site, address: str) -> Callable[[], None]:
    """Return the work of asking for an address so many times."""

    def repeat() -> None:
        for _ in range(EACH_TURN):
            found.get(address)

    return repeat


def cold_pairs(found: Site, age: Callable[[], None], *, runs: int) -> Pairs:
    """Time both pages cold in turns, after one turn that is not counted."""
    pairs = Pairs([], [])
    for turn in range(runs + 1):
        age()
        ours_s = seconds(lambda: found.get(PAGE))
        age()
        peer_s = seconds(lambda: found.get(OBJECTS))
        if turn:
            pairs.ours_s.append(ours_s)
            pairs.peer_s.append(peer_s)
    return pairs


def ms(time_s: float) -> str:
    return f"{time_s * 1000:.1f} ms"
