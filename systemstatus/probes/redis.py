"""What is asked of Redis each minute: round trips, memory, hits, clients."""

import itertools
import time
from collections import Counter
from datetime import timedelta
from typing import Any, Final

import redis
from django.conf import settings
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from systemstatus.models import Snapshot
from systemstatus.probes.integrations import last_values
from systemstatus.probes.web import CATCH_UP, redis_minute
from systemstatus.registry import Reading, Value
from telemetry import flushing, lookups

SAMPLES: Final = 5
LIMIT_S: Final = 1.0
MOST_KEYS: Final = 20_000
MOST_GROUPS: Final = 20
WEIGHED: Final = 5
DRAINED: Final = "cache.drained"


def client() -> redis.Redis:
    """Return a connection of its own that answers within a second or fails."""
    made: redis.Redis = redis.Redis.from_url(
        settings.REDIS_ADDRESS,
        socket_timeout=LIMIT_S,
        socket_connect_timeout=LIMIT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return made


def round_trip() -> Reading:
    """Return five round trips in milliseconds; the fastest counts, so that one slow sample is no alarm."""
    samples = []
    with client() as cache:
        cache.ping()
        for _ in range(SAMPLES):
            began = time.perf_counter()
            cache.ping()
            samples.append(round((time.perf_counter() - began) * 1000, 3))
    return Reading({"cache.rtt": min(samples)}, {"rtt_samples_ms": samples})


def state() -> Reading:
    """Return memory, evictions, hits and clients as INFO tells them."""
    with client() as cache:
        info: dict[str, Any] = cache.info()
        looked_up = lookups_since(cache)
    values: dict[str, Value] = looked_up | {
        "cache.memory_bytes": info["used_memory"],
        "cache.clients": info["connected_clients"],
        "cache.hits_total": info["keyspace_hits"],
        "cache.misses_total": info["keyspace_misses"],
        "cache.evictions_total": info["evicted_keys"],
    }
    if (since := evicted_since(info)) is not None:
        values["cache.evictions"] = since
    most = info.get("maxmemory", 0)
    if most:
        values["cache.memory"] = round(100 * info["used_memory"] / most, 2)
    return Reading(values, {"server": server_of(info)})


def lookups_since(broker: redis.Redis) -> dict[str, Value]:
    """Return how many lookups of the cache there were since the last pass, and how many found something."""
    minute = redis_minute(broker)
    first = max(int(last_values("redis").get(DRAINED, 0)) + 1, minute - CATCH_UP)
    counted = [flushing.seen(lookups.KIND, one, broker=broker) for one in range(first, minute)]
    hits, misses = (
        sum(one[name].count for one in counted if name in one) for name in (lookups.HIT, lookups.MISS)
    )
    return {DRAINED: minute - 1, "cache.hits": hits, "cache.lookups": hits + misses}


def keys() -> Reading:
    """Return how many keys each group has, by its first two parts, and about how many bytes they take.

    Looks at the first keys that Redis names, so that a large one is not held up; bytes are those of a few.
    """
    groups: dict[str, list[bytes]] = {}
    counts: Counter[str] = Counter()
    with client() as cache:
        for key in itertools.islice(cache.scan_iter(count=1000), MOST_KEYS):
            name = ":".join(key.decode("utf-8", "replace").split(":")[:2])[:60]
            counts[name] += 1
            if len(groups.setdefault(name, [])) < WEIGHED:
                groups[name].append(key)
        listed = [
            {"name": name, "keys": count, "bytes": count * weight_of(cache, groups[name])}
            for name, count in counts.most_common(MOST_GROUPS)
        ]
    return Reading(detail={"key_groups": listed, "keys_seen": counts.total()})


def weight_of(cache: redis.Redis, some: list[bytes]) -> int:
    """Return the mean bytes of a few keys."""
    weights = [int(cache.memory_usage(key) or 0) for key in some]
    return sum(weights) // len(weights)


def evicted_since(info: dict[str, Any]) -> dict[str, float] | None:
    """Return the evictions per minute since the last snapshot; None before there is one.

    One instance is the broker as well: there a lost key is a lost message, so its narrower limit holds.
    """
    since = timezone.now() - timedelta(minutes=30)
    rows = Snapshot.objects.filter(module="redis", captured_at__gte=since).order_by("-captured_at")
    last = next(iter(rows.values_list("captured_at", "values")[:1]), None)
    if last is None or "cache.evictions_total" not in last[1]:
        return None
    grown = info["evicted_keys"] - last[1]["cache.evictions_total"]
    minutes = max((timezone.now() - last[0]).total_seconds() / 60, 0.5)
    return {"broker": round((grown if grown >= 0 else info["evicted_keys"]) / minutes, 2)}


def server_of(info: dict[str, Any]) -> dict[str, Any]:
    """Return what the Storage tab tells of the server."""
    names = ("redis_version", "valkey_version", "uptime_in_seconds", "maxmemory", "maxmemory_policy",
             "rdb_last_save_time", "rdb_last_bgsave_status", "aof_enabled", "role")  # fmt: skip
    return {name: info[name] for name in names if name in info}
