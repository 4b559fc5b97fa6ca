"""Times two things turn by turn, so that a busy moment of the machine falls on both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """A median with the lowest and highest of the single runs."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Pairs:
    """The seconds of ours and the peer's, run by run."""

    ours_s: list[float]
    peer_s: list[float]

    @property
    def cost(self) -> Spread:
        """How much longer ours takes; below 1 it is quicker."""
        return Spread.of([ours / peer for ours, peer in zip(self.ours_s, self.peer_s, strict=True)])

    @property
    def speed(self) -> Spread:
        """How many times quicker ours is; the inverse of cost."""
        return Spread.of([peer / ours for ours, peer in zip(self.ours_s, self.peer_s, strict=True)])

    @property
    def ours(self) -> Spread:
        """Our seconds."""
        return Spread.of(self.ours_s)

    @property
    def peer(self) -> Spread:
        """The peer's seconds."""
        return Spread.of(self.peer_s)

    def ours_rate(self, rows: int) -> float:
        """Return rows a second of ours, by the median run."""
        return rows / self.ours.median

    def peer_rate(self, rows: int) -> float:
        """Return rows a second of the peer's, by the median run."""
        return rows / self.peer.median

    @classmethod
    def sum(cls, parts: list["Pairs"]) -> "Pairs":
        """Return one pair list for work done in parts, run by run."""
        ours = [sum(times) for times in zip(*(part.ours_s for part in parts), strict=True)]
        return cls(ours, [sum(times) for times in zip(*(part.peer_s for part in parts), strict=True)])


def seconds(work: Work) -> float:
    """Return how long the work takes, in seconds of wall-clock time."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternate(
    ours: Work, peer: Work, *, runs: int, before: Work | None = None, before_peer: Work | None = None
) -> Pairs:
    """Measure ours and the peer in turns (A B A B), after one turn of each that is not counted.

    Args:
        ours, peer: the work to time.
        runs: how many turns count.
        before, before_peer: run before each of ours, and of the peer's, untimed.
    """
    pairs = Pairs([], [])
    for turn in range(runs + 1):
        if before:
            before()
        ours_s = seconds(ours)
        if before_peer:
            before_peer()
        peer_s = seconds(peer)
        if turn:
            pairs.ours_s.append(ours_s)
            pairs.peer_s.append(peer_s)
    return pairs
