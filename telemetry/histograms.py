"""Latencies as fixed buckets that can be added up, so that quantiles are honest after merging."""

import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

# Bucket b holds what took up to 2^(b/4) ms, from 1 ms to 4.5 minutes. A quantile lies in a bucket 19 % wide,
# and there it is taken to lie where its rank does among those that the bucket holds.
STEPS: Final = 4
LAST: Final = 72


def bucket_of(ms: float) -> int:
    """Return the bucket of a duration in milliseconds; the last one holds whatever took longer."""
    if not ms > 1:
        return 0
    return min(math.ceil(STEPS * math.log2(ms)), LAST) if ms < math.inf else LAST


def upper_ms(bucket: int) -> float:
    """Return the longest duration that a bucket holds, in milliseconds."""
    return math.pow(2, bucket / STEPS)


class Histogram:
    """Counts by bucket, with the sum and the longest of the durations in milliseconds."""

    def __init__(self, counts: Mapping[int, int] | None = None, *, total_ms: float = 0, max_ms: float = 0):
        self.counts: Counter[int] = Counter(dict(counts or {}))
        self.total_ms, self.max_ms = total_ms, max_ms

    def add(self, ms: float) -> None:
        """Count one duration."""
        self.counts[bucket_of(ms)] += 1
        self.total_ms += ms
        self.max_ms = max(self.max_ms, ms)

    def merge(self, other: "Histogram") -> None:
        """Count what another one counted besides."""
        self.counts.update(other.counts)
        self.total_ms += other.total_ms
        self.max_ms = max(self.max_ms, other.max_ms)

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def quantile_ms(self, share: float) -> float | None:
        """Return the duration that a share (0 to 1) stayed within; None without any."""
        rank = math.ceil(self.count * share)
        for bucket in sorted(self.counts):
            if self.counts[bucket] >= rank > 0:
                return self.within_bucket(bucket, rank / self.counts[bucket])
            rank -= self.counts[bucket]
        return None

    def within_bucket(self, bucket: int, part: float) -> float:
        """Return the duration at a part (0 to 1) of a bucket, no longer than the longest of all."""
        least, most = upper_ms(bucket - 1) if bucket else 0.0, upper_ms(bucket)
        if self.max_ms:
            most = min(most, self.max_ms)
        return min(least, most) + (most - min(least, most)) * part

    def within(self, ms: float) -> int:
        """Return how many stayed within a duration, by whole buckets."""
        last = bucket_of(ms)
        return sum(count for bucket, count in self.counts.items() if bucket <= last)

    def as_json(self) -> dict[str, object]:
        """Return a form that JSON takes."""
        counts = {str(bucket): count for bucket, count in sorted(self.counts.items())}
        return {"counts": counts, "total_ms": round(self.total_ms, 3), "max_ms": round(self.max_ms, 3)}


def from_json(given: Mapping[str, object]) -> Histogram:
    """Return the histogram that as_json wrote; raises ValueError, TypeError or KeyError for anything else."""
    counts = given["counts"]
    if not isinstance(counts, Mapping):
        raise TypeError("counts is no mapping of buckets")
    read = {int(bucket): int(count) for bucket, count in counts.items()}
    if any(not 0 <= bucket <= LAST or count < 0 for bucket, count in read.items()):
        raise ValueError(f"a bucket is none of 0 to {LAST}, or holds less than nothing")
    return Histogram(read, total_ms=float(str(given["total_ms"])), max_ms=float(str(given["max_ms"])))


Key = tuple[str, ...]


class Observed:
    """Histograms by name in this process, for many threads, until somebody takes them."""

    MOST: Final = 1000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Key, Histogram] = {}

    def observe(self, key: Key, ms: float) -> None:
        """Count a duration under a name; names beyond the bound are counted as one."""
        with self._lock:
            if key not in self._kept and len(self._kept) >= self.MOST:
                key = ("(others)",) * len(key)
            self._kept.setdefault(key, Histogram()).add(ms)

    def take(self) -> dict[Key, Histogram]:
        """Return what was counted since the last time, and begin anew."""
        with self._lock:
            taken, self._kept = self._kept, {}
        return taken

    def forget(self) -> None:
        """Begin anew in a forked process, where another thread may have held the lock."""
        self._lock = threading.Lock()
        self._kept = {}

    def give_back(self, taken: Iterable[tuple[Key, Histogram]]) -> None:
        """Count again what was taken and could not be handed on."""
        with self._lock:
            for key, histogram in taken:
                self._kept.setdefault(key, Histogram()).merge(histogram)
