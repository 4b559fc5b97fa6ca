"""Snapshots and alerts as the collector and the engine would leave them: a quiet day, and a bad night."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from systemstatus import grains, registry
from systemstatus.alerts.bounds import key_of
from systemstatus.models import Alert, AlertState, Severity, Snapshot
from systemstatus.registry import Module
from systemstatus.thresholds import BY_ID

HOSTILE = '<img src=x onerror="alert(1)">&amp;\u202e{{7*7}}'


def this_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)


def make_snapshot(
    module: str | Module, at: datetime | None = None, *, state: str = "ok", **fields: Any
) -> Snapshot:
    """Store how a module stood in one minute; checks and values as given."""
    row = snapshot(module, at or this_minute(), state=state, **fields)
    grains.ensure_partitions(row.captured_at)
    row.save(force_insert=True)
    return row


def snapshot(module: str | Module, at: datetime, *, state: str = "ok", **fields: Any) -> Snapshot:
    name = module if isinstance(module, str) else module.name
    given: dict[str, Any] = {"values": {}, "worst": {}, "detail": {}, "checks": [], "error": "", **fields}
    return Snapshot(module=name, captured_at=at, state=state, **given)


def check(
    name: str = "look", state: str = "ok", *, at: datetime | None = None, **fields: Any
) -> dict[str, Any]:
    """Return one check as a snapshot keeps it."""
    when = (at or this_minute()).isoformat()
    last_ok = when if state in {"ok", "warning"} else None
    return {"name": name, "state": state, "ms": 3.2, "error": "", "at": when, "last_ok": last_ok,
            "values": [], "detail": [], **fields}  # fmt: skip


def make_day(
    *, hours: int = 24, until: datetime | None = None, values: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Store a quiet day of every registered module, a minute apart, with figures that sway a little."""
    end = until or this_minute()
    every = list(registry.modules())
    rows = [
        snapshot(
            module,
            at,
            values=swaying(module, minute, (values or {}).get(module.name, {})),
            checks=[check(probe.name, at=at) for probe in module.probes],
        )
        for minute in range(hours * 60 + 1)
        for at in [end - timedelta(minutes=minute)]
        for module in every
    ]
    store(rows)


def swaying(module: Module, minute: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each metric, at an eighth of its warning limit or so."""
    sway = 1 + 0.25 * math.sin(minute / 40)
    found: dict[str, Any] = {metric.id: round(quiet(metric.budget) * sway, 2) for metric in module.metrics}
    return found | dict(given)


def quiet(budget: str) -> float:
    row = BY_ID.get(budget)
    if row is None:
        return 12.0
    return 99.6 if row.below else row.warning / 8


def store(rows: Sequence[Snapshot]) -> None:
    for day in sorted({row.captured_at.date() for row in rows}):
        grains.ensure_partitions(next(row.captured_at for row in rows if row.captured_at.date() == day))
    Snapshot.objects.bulk_create(rows, batch_size=2000, ignore_conflicts=True)


def make_alert(
    rule: str, module: str, *, target: str = "", severity: str = "critical", minutes: int = 20, **fields: Any
) -> Alert:
    """Store an alert that fired so many minutes ago and is open."""
    began = timezone.now() - timedelta(minutes=minutes)
    given: dict[str, Any] = {
        "state": AlertState.FIRING, "severity": Severity(severity), "began_at": began, "fired_at": began,
        "evaluated_at": timezone.now(), "source": "tests", "message": f"{rule} of {module}.", **fields,
    }  # fmt: skip
    return Alert.objects.create(
        key=key_of(rule, module, target), rule=rule, module=module, target=target, **given
    )
