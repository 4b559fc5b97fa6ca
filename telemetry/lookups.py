"""The cache with its lookups counted: how many found what they asked for, over all processes.

Redis's own counts are no measure of it: most lookups there are those of queues and counters, which ask for
what is mostly not there.
"""

from collections.abc import Iterable
from typing import Any, Final

from healthpilot.cache import LIMIT_KEYS, ForgivingRedisCache
from telemetry.flushing import Flusher
from telemetry.histograms import Observed

KIND: Final = "cache"
HIT, MISS = ("hit",), ("miss",)
NOTHING: Final = object()
observed: Final = Observed()
flusher: Final = Flusher(KIND, observed)


class CountedCache(ForgivingRedisCache):
    """Counts what is looked up, but for limits, which are well where nothing is found."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = super().get(key, NOTHING, version)
        self.count(key, is_hit=found is not NOTHING)
        return default if found is NOTHING else found

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        asked = list(keys)
        found = super().get_many(asked, version)
        for key in asked:
            self.count(key, is_hit=key in found)
        return found

    def count(self, key: str, *, is_hit: bool) -> None:
        """Count one lookup; none while Redis is away."""
        if not key.startswith(LIMIT_KEYS) and not self.is_away():
            observed.observe(HIT if is_hit else MISS, 0)
            flusher.begin()
