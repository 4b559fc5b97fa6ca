"""What is asked of another service: how the calls of all processes went since the last pass."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.utils import timezone

from systemstatus.models import Snapshot
from systemstatus.probes.web import CATCH_UP, redis_minute
from systemstatus.registry import CheckState, Layer, Metric, Module, Probe, Reading
from telemetry import flushing
from telemetry.histograms import Histogram
from telemetry.outbound.client import circuits

WELL: Final = frozenset({"2xx", "3xx", "4xx", "refused"})
METRICS: Final = (
    Metric("integration.calls", "calls", "Calls in the last minute"),
    Metric("integration.p95", "ms", "Latency p95", "integration.p95"),
    Metric("integration.failures", "%", "Failed calls", "integration.failures"),
)


def integration(
    name: str,
    title: str,
    is_configured: Callable[[], str],
    *,
    owner: str,
    probes: tuple[Probe, ...] = (),
    metrics: tuple[Metric, ...] = (),
    tasks: tuple[str, ...] = (),
    trials: tuple[Probe, ...] = (),
) -> Module:
    """Return the module of a service that is asked under a client's name.

    is_configured: returns '' where it is, else the setting that is missing.
    """
    return Module(
        name=name,
        title=title,
        layer=Layer.INTEGRATION,
        core=False,
        owner=owner,
        depends_on=("redis",),
        probes=(Probe("calls", partial(calls, name, is_configured), counts=True), *probes),
        trials=trials,
        metrics=(*METRICS, *metrics),
        tasks=tasks,
        clients=(name,),
    )


def calls(name: str, is_configured: Callable[[], str]) -> Reading:
    """Return how many calls there were, how many failed, and how long they took."""
    lacking = is_configured()
    if lacking:
        return Reading(state=CheckState.DISABLED, note=f"{lacking} is not set", detail={"configured": False})
    last = last_values(name)
    with flushing.client() as broker:
        minute = redis_minute(broker)
        first = max(int(last.get("integration.drained", 0)) + 1, minute - CATCH_UP)
        counted = [flushing.seen("outbound", one, broker=broker) for one in range(first, minute)]
    merged, outcomes = Histogram(), Counter[str]()
    for one in counted:
        for (client, outcome), histogram in one.items():
            if client == name:
                merged.merge(histogram)
                outcomes[outcome] += histogram.count
    found = read(name, merged, outcomes, last) if merged.count else unproven(name, last)
    return replace(found, values={**found.values, "integration.drained": minute - 1})


def read(name: str, merged: Histogram, outcomes: Counter[str], last: dict[str, Any]) -> Reading:
    """Return the reading of a minute with calls."""
    now = timezone.now()
    failed = sum(count for outcome, count in outcomes.items() if outcome not in WELL)
    ok_at = now.timestamp() if merged.count > failed else last.get("integration.ok_at", 0)
    values: dict[str, Any] = {
        "integration.calls": merged.count,
        "integration.failed": failed,
        "integration.latency": {str(bucket): count for bucket, count in merged.counts.items()},
        "integration.failures": round(100 * failed / merged.count, 2),
        "integration.p95": round(merged.quantile_ms(0.95) or 0, 1),
        "integration.ok_at": round(ok_at),
        "integration.error_at": round(now.timestamp() if failed else last.get("integration.error_at", 0)),
    }
    state = CheckState.FAILED if failed == merged.count else CheckState.OK
    note = f"All {failed} calls of the last minute failed" if state == CheckState.FAILED else ""
    bad = [outcome for outcome, _ in outcomes.most_common() if outcome not in WELL]
    told = {"outcomes": dict(outcomes)} | (
        {"last_error": f"{failed} of {merged.count}: {bad[0]}"} if bad else {}
    )
    return Reading(values, standing(name, values) | told, state, note)


def unproven(name: str, last: dict[str, Any]) -> Reading:
    """Return the reading of a minute without calls: what is not used is not known to work."""
    ok_at = last.get("integration.ok_at", 0)
    values = {
        "integration.calls": 0,
        "integration.failed": 0,
        "integration.ok_at": ok_at,
        "integration.error_at": last.get("integration.error_at", 0),
    }
    note = "Unproven: no call in the last minute"
    if ok_at:
        minutes = max(timezone.now().timestamp() - ok_at, 0) // 60
        note += f", last success {minutes:.0f} min ago"
    return Reading(values, standing(name, values), CheckState.SKIPPED, note)


def standing(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what a card shows besides; the circuit is that of the collector's own process."""
    circuit = circuits[name].state if name in circuits else ""
    times = {"last_success_at": "integration.ok_at", "last_error_at": "integration.error_at"}
    known = {
        name: datetime.fromtimestamp(values[value], UTC) for name, value in times.items() if values[value]
    }
    return {"configured": True, "circuit": circuit, **known}


def last_values(name: str) -> dict[str, Any]:
    """Return what the newest snapshot of a module holds; nothing where it is older than two hours."""
    since = timezone.now() - timedelta(hours=2)
    rows = Snapshot.objects.filter(module=name, captured_at__gte=since).order_by("-captured_at")
    return next(iter(rows.values_list("values", flat=True)[:1]), {})
