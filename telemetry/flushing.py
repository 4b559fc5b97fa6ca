"""Hands on what this process counted to Redis every ten seconds, added up there over all processes by minute.

Redis may lose it and may be away: what could not be handed on is kept and goes with the next turn.
"""

import atexit
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from telemetry.histograms import Histogram, Key, Observed

logger = logging.getLogger(__name__)

EVERY_S: Final = 10.0
LIMIT_S: Final = 1.0
KEPT_S: Final = 7200
# Stands between the parts of a name; no route, method or client holds it.
BETWEEN: Final = "\x1f"
MOST_FIELDS: Final = 50_000

# Redis's own clock says which minute it is, so that all machines agree with who reads. A field that ends in m
# keeps the longest.
ADD: Final = """
local key = KEYS[1] .. math.floor(redis.call('TIME')[1] / 60)
local full = redis.call('HLEN', key) > tonumber(ARGV[2])
for at = 3, #ARGV, 2 do
  local field, amount = ARGV[at], ARGV[at + 1]
  if full and redis.call('HEXISTS', key, field) == 0 then
    field = '(others)\\31lost'
  end
  if string.sub(field, -2) == '\\31m' then
    local known = tonumber(redis.call('HGET', key, field) or 0)
    if tonumber(amount) > known then redis.call('HSET', key, field, amount) end
  else
    redis.call('HINCRBYFLOAT', key, field, amount)
  end
end
redis.call('EXPIRE', key, ARGV[1])
"""


class Part(Protocol):
    """What is flushed besides histograms; errors are."""

    def flush(self, broker: redis.Redis) -> None:
        """Hand on what was gathered, or keep it and raise."""


parts: Final[list[Part]] = []
flushers: Final[list["Flusher"]] = []


def client() -> redis.Redis:
    """Return a connection that answers within a second or fails."""
    made: redis.Redis = redis.Redis.from_url(
        settings.REDIS_ADDRESS,
        socket_timeout=LIMIT_S,
        socket_connect_timeout=LIMIT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return made


class Flusher:
    """Histograms of one kind on their way to Redis, under `hp:seen:<kind>:<minute>`."""

    def __init__(self, kind: str, observed: Observed) -> None:
        self.kind, self.observed = kind, observed
        flushers.append(self)

    def begin(self) -> None:
        """See to it that this process hands on; costs nothing once it does."""
        if _turns.thread is None:
            _turns.begin()

    def flush(self, broker: redis.Redis) -> None:
        """Hand on what was counted; raises RedisError, and then keeps it."""
        taken = self.observed.take()
        if not taken:
            return
        try:
            told = [part for key, histogram in taken.items() for part in fields_of(key, histogram)]
            broker.eval(ADD, 1, f"hp:seen:{self.kind}:", KEPT_S, MOST_FIELDS, *told)
        except (redis.RedisError, OSError):
            self.observed.give_back(taken.items())
            raise


def fields_of(key: Key, histogram: Histogram) -> Iterator[str]:
    """Yield field and amount in turn: one for each bucket, the sum and the longest."""
    stem = BETWEEN.join(key)
    for bucket, count in histogram.counts.items():
        yield f"{stem}{BETWEEN}{bucket}"
        yield str(count)
    yield f"{stem}{BETWEEN}t"
    yield f"{histogram.total_ms:.3f}"
    yield f"{stem}{BETWEEN}m"
    yield f"{histogram.max_ms:.3f}"


def seen(kind: str, minute: int, *, broker: redis.Redis) -> dict[Key, Histogram]:
    """Return what all processes counted in one minute (since 1970) by Redis's clock."""
    return histograms(fields(broker, kind, minute))


def fields(broker: redis.Redis, kind: str, minute: int) -> dict[bytes, bytes]:
    """Return the raw fields of one kind and minute."""
    found: dict[Any, Any] = broker.hgetall(f"hp:seen:{kind}:{minute}")
    return found


def histograms(given: Mapping[bytes, bytes]) -> dict[Key, Histogram]:
    """Return fields as histograms again; what cannot be read is left out."""
    found: dict[Key, Histogram] = {}
    for name, amount in given.items():
        *key, last = name.decode("utf-8", "replace").split(BETWEEN)
        one = found.setdefault(tuple(key), Histogram())
        if last == "t":
            one.total_ms += float(amount)
        elif last == "m":
            one.max_ms = max(one.max_ms, float(amount))
        elif last.isdecimal():
            one.counts[int(last)] += int(float(amount))
    return {key: one for key, one in found.items() if one.counts}


class Turns:
    """The one thread of this process that hands on; a forked process begins its own."""

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self.turn = threading.Lock()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._broker: redis.Redis | None = None

    def begin(self) -> None:
        """Start the thread; where none can start now, what is counted waits for the next try."""
        with self._lock:
            if self.thread is not None:
                return
            thread = threading.Thread(target=self.run, name="flushing", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # too many threads, or the interpreter ends
                logger.info("Counts wait, since no thread can start: %s", error)
                return
            self.thread = thread
            atexit.register(flush_all)

    def run(self) -> None:
        while not self._ended.wait(EVERY_S):
            flush_all()

    def broker(self) -> redis.Redis:
        self._broker = self._broker or client()
        return self._broker

    def forget(self) -> None:
        """Begin anew in a forked process: the thread and the lock's holder are not here."""
        self.__init__()  # type: ignore[misc] # the same object, for others hold it


_turns = Turns()


def flush_all() -> bool:
    """Hand on everything now; says whether Redis took it."""
    try:
        with _turns.turn:
            broker = _turns.broker()
            for one in (*flushers, *parts):
                one.flush(broker)
    except (redis.RedisError, OSError) as error:
        logger.info("Redis takes no counts (%s); they go with the next turn", type(error).__name__)
        return False
    return True


def forget_parent() -> None:
    """Leave to the parent of a fork what it counted, and its thread."""
    _turns.forget()
    for flusher in flushers:
        flusher.observed.forget()


os.register_at_fork(after_in_child=forget_parent)
