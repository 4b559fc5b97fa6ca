"""What is asked of services that stand in for something else, or that nothing calls yet."""

import time
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from systemstatus.probes import redis
from systemstatus.registry import CheckState, Reading

UPSTASH: Final = ".upstash.io"


def connexcs() -> Reading:
    """Say that nothing is known of ConnexCS: no part of HealthPilot calls it yet."""
    return Reading(state=CheckState.DISABLED, note="HealthPilot has no client for it yet")


def upstash() -> Reading:
    """Ask the Redis that Upstash hosts, where REDIS_URL names one; its figures are those of Redis."""
    address = urlsplit(settings.REDIS_ADDRESS)
    if not (address.hostname or "").endswith(UPSTASH):
        return Reading(state=CheckState.DISABLED, note="REDIS_URL names another server")
    if address.scheme != "rediss":
        return Reading(state=CheckState.FAILED, note="REDIS_URL is not encrypted: write rediss://")
    began = time.perf_counter()
    with redis.client() as cache:
        cache.ping()
    return Reading(note=f"Answered in {(time.perf_counter() - began) * 1000:.0f} ms")
