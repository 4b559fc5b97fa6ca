"""What is evicted from the broker is seen per minute."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from systemstatus.grains import ensure_partitions
from systemstatus.models import Snapshot
from systemstatus.probes import host, redis, web
from telemetry import lookups
from telemetry.lookups import CountedCache

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("before", "now", "rate"), [(100, 104, 2.0), (100, 100, 0.0), (100, 6, 3.0)])
def test_evictions_are_counted_per_minute_and_from_nought_after_a_restart(
    before: int, now: int, rate: float
) -> None:
    at = timezone.now() - timedelta(minutes=2)
    ensure_partitions(at)
    Snapshot.objects.create(
        module="redis", captured_at=at, state="ok", values={"cache.evictions_total": before}
    )
    found = redis.evicted_since({"evicted_keys": now})
    assert found is not None
    assert found["broker"] == pytest.approx(rate, rel=0.05)


def test_before_there_is_a_snapshot_nothing_is_said_of_evictions() -> None:
    assert redis.evicted_since({"evicted_keys": 7}) is None
    assert "cache.evictions" not in redis.state().values


def test_lookups_of_the_cache_are_counted_and_those_of_queues_and_counters_are_not() -> None:
    lookups.observed.take()
    counted = CountedCache(settings.REDIS_ADDRESS, {"KEY_PREFIX": "test:"})
    with redis.client() as broker:
        broker.flushall()
        broker.hgetall("hp:queue that is empty")
        counted.set("there", 1)
        assert counted.get_many(["there", "gone"]) == {"there": 1}
        assert (counted.get("there"), counted.get("gone"), counted.get("gone", 7)) == (1, None, 7)
        assert counted.get("limit:token:nobody", 0) == 0
        lookups.flusher.flush(broker)
        (name,) = broker.scan_iter("hp:seen:cache:*")
        broker.rename(name, f"hp:seen:cache:{web.redis_minute(broker) - 1}")
        values = redis.lookups_since(broker)
        broker.flushall()
    assert (values["cache.hits"], values["cache.lookups"]) == (2, 5)


def test_keys_are_grouped_by_their_first_parts() -> None:
    with redis.client() as cache:
        cache.flushall()
        cache.mset({f"hp:one:{n}": "x" * 100 for n in range(7)} | {"hp:two": "y"})
        listed = {group["name"]: group for group in redis.keys().detail["key_groups"]}
        cache.flushall()
    assert (listed["hp:one"]["keys"], listed["hp:two"]["keys"]) == (7, 1)
    assert listed["hp:one"]["bytes"] > 700


def test_load_and_memory_are_shares_of_this_machine() -> None:
    values = host.load().values
    assert float(str(values["host.load"])) >= 0
    assert 0 < float(str(values["host.memory"])) <= 100
