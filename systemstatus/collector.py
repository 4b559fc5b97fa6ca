"""Collects one minute: runs every module's probes and stores a snapshot each, once, whoever calls."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from systemstatus import grains, lease, probing, registry
from systemstatus.lease import LeaseBusyError
from systemstatus.models import ModuleState, Snapshot
from systemstatus.probing import Answer, Key
from systemstatus.registry import CheckState, Module, Probe

logger = logging.getLogger(__name__)

LEASE: Final = "collector"
LEASE_S: Final = 60.0
CARRIED: Final = timedelta(minutes=30)
DETAIL_MOST_BYTES: Final = 24_000

STATES: Final = {
    CheckState.OK: ModuleState.OK,
    CheckState.WARNING: ModuleState.WARNING,
    CheckState.FAILED: ModuleState.CRITICAL,
    CheckState.CRASHED: ModuleState.UNKNOWN,
    CheckState.UNKNOWN: ModuleState.UNKNOWN,
    CheckState.SKIPPED: ModuleState.SKIPPED,
    CheckState.DISABLED: ModuleState.DISABLED,
}
WORST_FIRST: Final = (
    ModuleState.CRITICAL,
    ModuleState.UNKNOWN,
    ModuleState.WARNING,
    ModuleState.SKIPPED,
    ModuleState.OK,
    ModuleState.DISABLED,
)


@dataclass(frozen=True)
class Collected:
    """What one pass did: the minute, the modules stored, how long it took; busy: another did or does it."""

    minute: datetime
    modules: int = 0
    took_ms: int = 0
    is_busy: bool = False
    states: dict[str, str] = field(default_factory=dict)


def collect_snapshot(minute: datetime, *, limit_s: float = probing.PASS_S) -> Collected:
    """Collect one UTC minute, unless it is collected already or another process is at it.

    Args:
        minute: its beginning; seconds are cut off. limit_s: how long the probes may take together.

    Raises:
        LeaseLostError: another process took over meanwhile; nothing was written.
        django.db.Error: the database does not take the snapshots.
    """
    minute = minute.astimezone(UTC).replace(second=0, microsecond=0)
    began = time.monotonic()
    grains.ensure_partitions(minute)
    try:
        held = lease.claim(LEASE, minute, seconds=LEASE_S)
    except LeaseBusyError:
        return Collected(minute, is_busy=True)
    try:
        rows = look(minute, limit_s)
        took_ms = round((time.monotonic() - began) * 1000)
        store(held, rows, took_ms)
    except BaseException:
        lease.release(held)
        raise
    return Collected(minute, len(rows), took_ms, states={row.module: row.state for row in rows})


def look(minute: datetime, limit_s: float) -> list[Snapshot]:
    """Run what is due and return a row a module; what is not due keeps its last answer."""
    modules = registry.modules()
    before = last_rows(minute)
    due = {
        (module.name, probe.name): probe
        for module in modules
        for probe in module.probes
        if is_due(probe, check_of(before.get(module.name), probe.name), minute)
    }
    answers = probing.run_all(due, limit_s=limit_s)
    return [row_of(module, minute, answers, before.get(module.name)) for module in modules]


def last_rows(minute: datetime) -> dict[str, Snapshot]:
    """Return the rows of the newest minute before one, by module, if it lies within the last half hour."""
    seen = Snapshot.objects.filter(captured_at__gte=minute - CARRIED, captured_at__lt=minute)
    newest = seen.order_by("-captured_at").values_list("captured_at", flat=True).first()
    return {row.module: row for row in Snapshot.objects.filter(captured_at=newest)} if newest else {}


def check_of(row: Snapshot | None, name: str) -> dict[str, Any] | None:
    """Return what a row says of one check."""
    checks = row.checks if row else []
    return next((check for check in checks if check["name"] == name), None)


def is_due(probe: Probe, check: dict[str, Any] | None, minute: datetime) -> bool:
    """Say whether a probe's time has come: its last run lies an interval back, or did not come to an end."""
    if check is None or check["state"] in {CheckState.CRASHED, CheckState.SKIPPED} or not check["at"]:
        return True
    since = minute - datetime.fromisoformat(check["at"])
    return not timedelta() <= since < timedelta(seconds=probe.every_s)


def row_of(
    module: Module, minute: datetime, answers: Mapping[Key, Answer], before: Snapshot | None
) -> Snapshot:
    """Return a module's row: fresh answers, and what was carried over from the row before."""
    row = Snapshot(module=module.name, captured_at=minute, values={}, worst={}, detail={}, checks=[])
    for probe in module.probes:
        last = check_of(before, probe.name)
        answer = answers.get((module.name, probe.name))
        if answer:
            add(row, probe, answer, last, minute)
        elif before and last:
            carry(row, before, last)
    row.state = state_of(row.checks)
    row.took_ms = round(sum(check["ms"] for check in row.checks if check["at"] == minute.isoformat()))
    row.error = next((check["error"] for check in row.checks if check["state"] in BAD), "")[:500]
    row.detail = bounded(row.detail)
    return row


STORED: Final = ("state", "values", "worst", "detail", "checks", "took_ms", "error", "created_at")
BAD: Final = {CheckState.FAILED, CheckState.CRASHED}


def came_to_it_at(last: dict[str, Any] | None, answer: Answer, at: str) -> str:
    """Return when a check came to the state it is in."""
    is_same = last is not None and last["state"] == answer.reading.state
    return str(last.get("since") or last["at"]) if last and is_same else at


def add(row: Snapshot, probe: Probe, answer: Answer, last: dict[str, Any] | None, minute: datetime) -> None:
    """Put a fresh answer into a row."""
    good = answer.reading.state in {CheckState.OK, CheckState.WARNING}
    at = minute.isoformat()
    row.values |= answer.reading.values
    row.detail |= answer.reading.detail
    row.checks.append(
        {
            "name": probe.name,
            "state": str(answer.reading.state),
            "ms": answer.ms,
            "error": answer.error,
            "at": at,
            "last_ok": at if good else last and last["last_ok"],
            "since": came_to_it_at(last, answer, at),
            "values": sorted(answer.reading.values),
            "detail": sorted(answer.reading.detail),
        }
    )


def carry(row: Snapshot, before: Snapshot, check: dict[str, Any]) -> None:
    """Take over what a check found when it last ran; its own time goes with it."""
    row.values |= {name: before.values[name] for name in check["values"] if name in before.values}
    row.detail |= {name: before.detail[name] for name in check["detail"] if name in before.detail}
    row.checks.append(check)


def state_of(checks: Sequence[Mapping[str, Any]]) -> ModuleState:
    """Return the worst state of a module's checks; without any it is unknown, never green."""
    states = {STATES[CheckState(check["state"])] for check in checks}
    return next((state for state in WORST_FIRST if state in states), ModuleState.UNKNOWN)


def bounded(detail: dict[str, Any]) -> dict[str, Any]:
    """Leave out the largest lists until what a tab shows fits a row, and say which."""
    sizes = {name: len(json.dumps(value, default=str)) for name, value in detail.items()}
    left_out = []
    while sum(sizes.values()) > DETAIL_MOST_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        left_out.append(largest)
        del sizes[largest]
    kept = {name: detail[name] for name in sizes}
    return kept | {"left_out": sorted(left_out)} if left_out else kept


def store(held: lease.Lease, rows: Sequence[Snapshot], took_ms: int) -> None:
    """Write all rows in one transaction while the lease is ours; raises LeaseLostError.

    A minute that comes again, for the clock was set back, takes the place of what it was.
    """
    with transaction.atomic():
        lease.be_brief()
        lease.finish(held, took_ms=took_ms)
        Snapshot.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["module", "captured_at"], update_fields=STORED
        )
