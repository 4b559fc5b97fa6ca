"""P3: a recorded call on the caller's side, durable against kill -9, against a span that is not durable."""

from typing import Final

from benchmarks import recorded
from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Pairs

CALLS: Final = 5_000
TURNS: Final = 9


def measure(bench: Bench) -> Measurement:
    """Time calls and spans in turns; each side's background thread empties its queue between turns."""
    spans, pairs = recorded.Spans(CALLS), Pairs([], [])
    try:
        for turn in range(TURNS + 1):
            ours = recorded.timed(lambda: recorded.record(CALLS))
            recorded.ship()
            peer = recorded.timed(lambda: spans.record(CALLS))
            spans.drain()
            if turn:
                pairs.ours_s.append(ours)
                pairs.peer_s.append(peer)
    finally:
        recorded.clear()
    ours_us, peer_us = (recorded.per_call_us(side.median, CALLS) for side in (pairs.ours, pairs.peer))
    return Measurement(pairs.cost, TURNS, f"{ours_us} a call against {peer_us} a span with 8 attributes")
