"""Local leases: a process reserves many equal pieces of work at once and admits them without a round trip.

What a process may hold like this is a real reservation, so checks elsewhere count it; it is taken only where
there is plenty of room, and given back after a moment, so that nobody waits for what nobody uses.
"""

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from costs.throttle.amounts import Amounts
from costs.throttle.verdict import Verdict

PIECES: Final = 32
# A cap must have room for so many slabs, else each piece asks for itself: exact where it matters.
ROOM: Final = 64
FRESH_S: Final = 1.0
LEASE_MS: Final = 30_000


@dataclass(slots=True)
class Slab:
    """One reservation for many pieces of equal work.

    left: a token for each piece that nobody took; taking one from a list needs no lock.
    """

    verdict: Verdict
    born: float
    left: list[None] = field(default_factory=lambda: [None] * PIECES)
    unused: int = 0
    done: int = 0
    real: Amounts = field(default_factory=Amounts)

    def retire(self) -> None:
        """Let nobody take of it any more."""
        with suppress(IndexError):
            while True:
                self.left.pop()
                self.unused += 1

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it and nothing runs."""
        return not self.left and self.done + self.unused >= PIECES


class Slabs:
    """The slabs of this process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.lock = threading.Lock()
        self.open: dict[object, Slab] = {}
        self.by_lease: dict[str, Slab] = {}

    def take(self, key: object) -> Verdict | None:
        """Return a verdict out of an open slab for this kind of work, or None."""
        slab = self.open.get(key)
        if slab is None or time.monotonic() - slab.born > FRESH_S:
            return None
        try:
            slab.left.pop()
        except IndexError:
            return None
        return slab.verdict

    def put(self, key: object, verdict: Verdict) -> list[tuple[str, Amounts, int]]:
        """Open a slab, of which nothing is used yet; returns what settles those that are over.

        That is the one before it, and any that nobody asked of any more: else every new estimate left one.
        """
        now = time.monotonic()
        with self.lock:
            stale = [one for one, slab in self.open.items() if one == key or now - slab.born > FRESH_S]
            over = [self.open.pop(one) for one in stale]
            self.open[key] = self.by_lease[verdict.lease] = Slab(verdict, now)
            for slab in over:
                slab.retire()
            return [settled for slab in over for settled in self.closed(slab)]

    def report(self, lease: str, real: Amounts) -> list[tuple[str, Amounts, int]] | None:
        """Count a piece as done; returns what settles its slab when it is over, None for an unknown lease."""
        slab = self.by_lease.get(lease)
        if slab is None:
            return None
        with self.lock:
            slab.done += 1
            slab.real = slab.real.plus(real)
            if time.monotonic() - slab.born > FRESH_S:
                slab.retire()
            return self.closed(slab)

    def closed(self, slab: Slab) -> list[tuple[str, Amounts, int]]:
        """Return how to settle a slab of which nothing is left and nothing runs; call with the lock held."""
        if not slab.is_over:
            return []
        self.by_lease.pop(slab.verdict.lease, None)
        return [(slab.verdict.lease, slab.real, slab.done)]


slabs: Final = Slabs()
os.register_at_fork(after_in_child=slabs.reset)
