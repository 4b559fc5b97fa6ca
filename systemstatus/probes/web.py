"""What is asked of the web processes: what they counted in Redis since the last pass, and how it adds up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import redis
from django.db import connection
from django.utils import timezone

from systemstatus import error_groups
from systemstatus.models import Snapshot
from systemstatus.registry import Reading
from systemstatus.thresholds import BY_ID
from telemetry import errors, flushing
from telemetry.histograms import Histogram, Key
from telemetry.requests import CHECK

MODULE: Final = "web"
# Minutes that a pass catches up at most, and those that the table of routes covers.
CATCH_UP: Final = 15
ROUTES_MIN: Final = 15
MOST_ROUTES: Final = 60
OTHERS: Final = "(others)"
# Answers to monitors and to pages that are left: counted by route, but no part of what visitors wait for.
APART: Final = ("/healthz/", "/vitals")
SATISFIED_MS: Final = 500.0

SUMS: Final = """
SELECT coalesce(sum(("values" ->> 'api.requests')::float8), 0),
    coalesce(sum(("values" ->> 'api.errors_5xx')::float8), 0)
FROM unnest(%(minutes)s::int[]) WITH ORDINALITY AS spans (m, place)
LEFT JOIN status_snapshots_1m ON module = 'web'
    AND captured_at > %(at)s - make_interval(mins => m) AND captured_at <= %(at)s
GROUP BY place ORDER BY place
"""


def requests() -> Reading:
    """Return the requests since the last pass: how many, how they ended, how long they took."""
    with flushing.client() as broker:
        now_minute = redis_minute(broker)
        minutes = range(max(last_drained() + 1, now_minute - CATCH_UP), now_minute)
        counted = [flushing.seen("requests", minute, broker=broker) for minute in minutes]
        lately = range(now_minute - ROUTES_MIN, now_minute)
        recent = [flushing.seen("requests", minute, broker=broker) for minute in lately]
    merged = total(counted)
    values = sums(merged) | {"api.drained": now_minute - 1, "api.minutes": len(minutes)}
    values |= burn(timezone.now(), values["api.requests"], values["api.errors_5xx"])
    return Reading(values, {"routes": routes(total(recent)), "routes_minutes": ROUTES_MIN})


def exceptions() -> Reading:
    """Return the unhandled exceptions since the last pass, and keep their groups."""
    drained = error_groups.last_drained()
    found = 0
    with flushing.client() as broker:
        now_minute = redis_minute(broker)
        for minute in range(max(drained + 1, now_minute - CATCH_UP), now_minute):
            found += error_groups.absorb(minute, errors.seen(minute, broker=broker))
    return Reading({"api.exceptions_count": found})


def redis_minute(broker: redis.Redis) -> int:
    """Return the current minute since 1970 by Redis's clock, by which processes count."""
    seconds, _ = broker.time()
    return int(seconds) // 60


def last_drained() -> int:
    """Return the newest minute that a stored snapshot counted; a pass that was lost is thus counted again."""
    since = timezone.now() - timedelta(hours=1)
    rows = Snapshot.objects.filter(module=MODULE, captured_at__gte=since).order_by("-captured_at")
    newest = rows.values_list("values", flat=True)[:5]
    return next((int(values["api.drained"]) for values in newest if "api.drained" in values), 0)


def total(counted: Iterable[Mapping[Key, Histogram]]) -> dict[Key, Histogram]:
    """Return what several minutes counted, added up."""
    found: dict[Key, Histogram] = defaultdict(Histogram)
    for minute in counted:
        for key, histogram in minute.items():
            found[key].merge(histogram)
    return dict(found)


def sums(merged: Mapping[Key, Histogram]) -> dict[str, Any]:
    """Return the figures over all routes that somebody waits for, without System Status's own visits."""
    everything, statuses = Histogram(), Counter[str]()
    for (route, method, status), histogram in merged.items():
        if not route.startswith(APART) and method != CHECK:
            everything.merge(histogram)
            statuses[status] += histogram.count
    values: dict[str, Any] = {
        "api.requests": everything.count,
        "api.errors_5xx": statuses["5xx"],
        "api.status": dict(statuses),
        "api.latency": {str(bucket): count for bucket, count in everything.counts.items()},
    }
    if everything.count:
        values["api.errors"] = round(100 * statuses["5xx"] / everything.count, 2)
    for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        if (ms := everything.quantile_ms(part)) is not None:
            values[f"api.{name}"] = round(ms, 1)
    return values


def routes(merged: Mapping[Key, Histogram]) -> list[dict[str, Any]]:
    """Return each route's figures, the most called first; beyond the bound they are one line."""
    by_route: dict[tuple[str, str], dict[str, Histogram]] = defaultdict(dict)
    calls = Counter[tuple[str, str]]()
    for (route, method, _), histogram in merged.items():
        calls[route, method] += histogram.count
    listed = {place for place, _ in calls.most_common(MOST_ROUTES)}
    for (route, method, status), histogram in merged.items():
        place = (route, method) if (route, method) in listed else (OTHERS, "")
        by_route[place].setdefault(status, Histogram()).merge(histogram)
    found = [line(*place, by_status) for place, by_status in by_route.items()]
    return sorted(found, key=lambda one: -one["calls"])


def line(route: str, method: str, by_status: Mapping[str, Histogram]) -> dict[str, Any]:
    """Return one route's figures."""
    every = Histogram()
    for histogram in by_status.values():
        every.merge(histogram)
    failed = by_status["5xx"].count if "5xx" in by_status else 0
    parts = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    quantiles = {name: round(every.quantile_ms(part) or 0, 1) for name, part in parts.items()}
    return {
        "route": route, "method": method, "calls": every.count, "errors": failed,
        "error_share": round(100 * failed / every.count, 2), **quantiles,
        "apdex": apdex(every, failed), "max_ms": round(every.max_ms, 1),
    }  # fmt: skip


def apdex(histogram: Histogram, failed: int) -> float:
    """Return the share of satisfied visitors: within 500 ms whole, within four times that half, else none."""
    satisfied = histogram.within(SATISFIED_MS)
    tolerating = histogram.within(4 * SATISFIED_MS) - satisfied
    good = max(satisfied + tolerating / 2 - failed, 0)
    return round(good / histogram.count, 2)


def burn(now: datetime, requests: int, failed: int) -> dict[str, Any]:
    """Return how many times faster than allowed the error budget is used up, by the pairs of windows.

    One figure stands for both pairs: the fast one once it is critical, else the slow one, short of critical.
    """
    budget = BY_ID["api.burn"]
    spans = [*(budget.warning_pair or ()), *(budget.critical_pair or ())]
    with connection.cursor() as cursor:
        cursor.execute(SUMS, {"at": now, "minutes": spans})
        rows = cursor.fetchall()
    rates = [rate(every + requests, bad + failed) for every, bad in rows]
    slow, fast = min(rates[:2]), min(rates[2:])
    value = fast if fast >= budget.critical else min(slow, budget.critical - 0.01)
    windows = {f"{span} min": one for span, one in zip(spans, rates, strict=True)}
    return {"api.burn": value, "api.burn_windows": windows}


def rate(every: float, bad: float) -> float:
    """Return the burn rate for an objective of 99.9 %; from 50 requests, as the share of errors is judged."""
    return round(1000 * bad / every, 2) if every >= BY_ID["api.errors"].at_least else 0.0
