"""The tab Storage: Redis with its memory and round trip, disks, the telemetry spool, and object storage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import QueryDict

from systemstatus import heartbeats, queries
from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.standing import of_layers, standings
from systemstatus.tabs import generic
from systemstatus.tabs.generic import Part
from systemstatus.tabs.overview import decimal
from systemstatus.wording import figure_text, size_text, span_text

LAYERS: Final = (Layer.CACHE, Layer.STORAGE)
UNITS: Final = {
    "cache.memory_bytes": ("Memory in use", "bytes"), "cache.clients": ("Clients", ""),
    "cache.evictions_total": ("Evicted since the start", "keys"), "spool.waiting": ("Events that wait", ""),
    "spool.oldest_s": ("The oldest for", "s"), "cache.hits_total": ("Lookups found", ""),
    "cache.misses_total": ("Lookups missed", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Store:
    """A module of storage with what its probes told beside the figures that budgets judge."""

    part: Part
    facts: Sequence[tuple[str, str]]
    series: Sequence[object]
    series_title: str


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    every = standings(moment)
    found = of_layers(every, LAYERS)
    parts = generic.parts_of(moment, found)
    names = [part.standing.module.name for part in parts]
    details = queries.details(names, moment.newest, moment.grain) if moment.newest and names else {}
    return {"stores": [store(part, details, moment) for part in parts], "parts": parts}


def store(part: Part, details: Mapping[str, Mapping[str, Any]], moment: Moment) -> Store:
    name = part.standing.module.name
    values = part.standing.row.values if part.standing.row else {}
    told = [*values_told(values), *told_of(details.get(name, {}))]
    metric = part.standing.module.metrics[0] if part.standing.module.metrics else None
    series = heartbeats.trends(moment).get((name, metric.id), ()) if metric else ()
    return Store(part, told, [decimal(one) for one in series], metric.title if metric else "")


def values_told(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the values that no budget judges, in words."""
    return [
        (label, figure_text(values[name], unit))
        for name, (label, unit) in UNITS.items()
        if isinstance(values.get(name), int | float)
    ]


def told_of(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a probe's detail says, in words."""
    lines: list[tuple[str, str]] = []
    if server := detail.get("server"):
        lines += redis_server(server)
    if samples := detail.get("rtt_samples_ms"):
        lines.append(("Round trips", ", ".join(figure_text(one, "ms") for one in samples)))
    if disk := detail.get("disk"):
        lines.append(("Free", f"{size_text(disk['free_bytes'])} of {size_text(disk['total_bytes'])}"))
    for group in detail.get("key_groups", [])[:12]:
        lines.append((f"Keys {group['name']}", f"{group['keys']:,}, {size_text(group['bytes'])}"))
    if dropped := {name: count for name, count in (detail.get("dropped") or {}).items() if count}:
        lines.append(("Dropped", ", ".join(f"{name} {count}" for name, count in dropped.items())))
    for step, ms in (detail.get("steps_ms") or {}).items():
        lines.append((str(step).capitalize(), figure_text(ms, "ms")))
    return lines


def redis_server(server: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the server said of itself: version, uptime, what it does at its maximum, persistence."""
    version = server.get("valkey_version") or server.get("redis_version", "")
    kind = "Valkey" if server.get("valkey_version") else "Redis"
    lines = [("Server", f"{kind} {version}, {server.get('role', '')}".rstrip(", "))]
    if "uptime_in_seconds" in server:
        lines.append(("Up for", span_text(server["uptime_in_seconds"] * 1000)))
    most = server.get("maxmemory") or 0
    limit = size_text(most) if most else "no limit"
    lines.append(("At its maximum", f"{limit}, {server.get('maxmemory_policy', '')}".rstrip(", ")))
    return [*lines, ("Persistence", persistence(server))]


def persistence(server: Mapping[str, Any]) -> str:
    saved = server.get("rdb_last_save_time")
    at = f"{datetime.fromtimestamp(saved, UTC):%Y-%m-%d %H:%M} UTC" if saved else "never"
    log = "append-only file" if server.get("aof_enabled") else "no append-only file"
    return f"{log}, last saved {at}, {server.get('rdb_last_bgsave_status', 'unknown')}"
