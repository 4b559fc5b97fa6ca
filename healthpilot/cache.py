"""A Redis cache that may go away: pages answer without it at once, and use it again when it is back."""

import functools
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

LIMIT_S = 0.25
PAUSE_S = 5.0
LIMIT_KEYS = ("allauth:", "limit:")


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, but an outage reads as an empty cache instead of an error.

    A call waits LIMIT_S at most. After a failure none is made for PAUSE_S, so that a page does not wait
    once for each of its keys. Keys of the limits on wrong passwords and tokens are meanwhile kept in this
    process's memory, so that an outage does not lift them; nothing else is, for what another process changed
    must not live on here.
    """

    _retry_at: dict[str, float] = {}

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        waits = {"socket_timeout": LIMIT_S, "retry": Retry(NoBackoff(), 0)}
        super().__init__(server, params | {"OPTIONS": waits | params.get("OPTIONS", {})})
        self.place = str(server)
        self.memory = LocMemCache(
            f"meanwhile {self.place}", {name: params[name] for name in params if name != "OPTIONS"}
        )

    def attempt(self, call: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Return what Redis answers, or the answer without it."""
        if time.monotonic() < self._retry_at.get(self.place, 0):
            return otherwise()
        try:
            return call()
        except (redis.RedisError, OSError) as error:
            self._retry_at[self.place] = time.monotonic() + PAUSE_S
            log.warning("The cache does not answer (%s); going on without it for %s s", error, PAUSE_S)
            return otherwise()

    @classmethod
    def is_away(cls) -> bool:
        """Say whether Redis failed to answer this process a moment ago."""
        return any(time.monotonic() < until for until in cls._retry_at.values())

    def instead(self, name: str, key: str, answer: Any, *args: Any) -> Callable[[], Any]:
        """Return what answers for a key while Redis is away: memory for the limits, else a fixed answer."""
        if key.startswith(LIMIT_KEYS):
            return functools.partial(getattr(self.memory, name), key, *args)
        return lambda: answer

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        call = functools.partial(super().add, key, value, timeout, version)
        return bool(self.attempt(call, self.instead("add", key, False, value, timeout, version)))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        call = functools.partial(super().get, key, default, version)
        return self.attempt(call, self.instead("get", key, default, default, version))

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        call = functools.partial(super().set, key, value, timeout, version)
        self.attempt(call, self.instead("set", key, None, value, timeout, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a count; raises ValueError, as Django's caches do, where there is none."""
        call = functools.partial(super().incr, key, delta, version)
        return int(self.attempt(call, self.instead("incr", key, 0, delta, version)))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        call = functools.partial(super().touch, key, timeout, version)
        return bool(self.attempt(call, self.instead("touch", key, False, timeout, version)))

    def delete(self, key: str, version: int | None = None) -> bool:
        call = functools.partial(super().delete, key, version)
        return bool(self.attempt(call, self.instead("delete", key, False, version)))

    def has_key(self, key: str, version: int | None = None) -> bool:
        call = functools.partial(super().has_key, key, version)
        return bool(self.attempt(call, self.instead("has_key", key, False, version)))

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.attempt(functools.partial(super().get_many, keys, version), dict)
        return found

    def set_many(
        self, data: dict[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        call = functools.partial(super().set_many, data, timeout, version)
        failed: list[str] = self.attempt(call, lambda: list(data))
        return failed

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        self.attempt(functools.partial(super().delete_many, keys, version), lambda: None)

    def clear(self) -> None:
        self.attempt(super().clear, lambda: None)
