"""P4: a recorded call until it is in PostgreSQL, against a span handed to an exporter that does nothing."""

from typing import Final

from benchmarks import recorded
from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Pairs

CALLS: Final = 20_000
TURNS: Final = 5


def measure(bench: Bench) -> Measurement:
    """Time calls and spans in turns, each until nothing waits any more."""
    spans, pairs = recorded.Spans(CALLS), Pairs([], [])

    def ours() -> None:
        recorded.record(CALLS)
        recorded.ship()

    def peer() -> None:
        spans.record(CALLS)
        spans.drain()

    try:
        for turn in range(TURNS + 1):
            ours_s, peer_s = recorded.timed(ours), recorded.timed(peer)
            if turn:
                pairs.ours_s.append(ours_s)
                pairs.peer_s.append(peer_s)
    finally:
        recorded.clear()
    ours_us, peer_us = (recorded.per_call_us(side.median, CALLS) for side in (pairs.ours, pairs.peer))
    return Measurement(pairs.cost, TURNS, f"{ours_us} a call in PostgreSQL against {peer_us} a span")
