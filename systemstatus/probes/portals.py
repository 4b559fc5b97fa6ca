"""What is asked of the portals: a visitor's first steps, each minute, from outside the web processes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.urls import Resolver404, resolve
from django.utils import timezone

from healthpilot import processes
from systemstatus.alerts.quiet import matches
from systemstatus.models import Alert, Maintenance, Snapshot
from systemstatus.registry import CheckState, Reading
from telemetry import vitals
from telemetry.outbound import Client, OutboundError
from telemetry.requests import MARK_HEADER, mark

AVAILABLE: Final = """
SELECT coalesce(sum(("values" ->> 'portal.checks')::float8), 0),
    coalesce(sum(("values" ->> 'portal.failed')::float8), 0)
FROM status_snapshots_{grain} WHERE module = %s AND captured_at > %s AND captured_at <= %s
"""
DAYS: Final = timedelta(days=30)
DOWN_AFTER: Final = 3
# Before a day of checks a few minutes would pass for a bad month.
FEWEST: Final = 1440
# What all steps of a visit may take together: within a probe's five seconds. Slow is no outage.
VISIT_S: Final = 4.4


@dataclass(frozen=True)
class Step:
    """One page that a visitor asks for; status: what it answers; holds: a text in it, or in Location."""

    path: str
    status: int = 200
    holds: str = ""


def steps_of(name: str, steps: Sequence[Step]) -> partial[Reading]:
    """Return the probe of one portal."""
    return partial(visit, name, tuple(steps))


def visit(name: str, steps: Sequence[Step]) -> Reading:
    """Return whether a portal answers as it should and how fast; time in maintenance is no part of it."""
    base = address()
    if not base:
        return Reading(state=CheckState.DISABLED, note="HEALTHPILOT_URL is not set")
    if not exists(steps[0].path):
        return Reading(state=CheckState.DISABLED, note=f"There is no page at {steps[0].path}")
    asks = client(VISIT_S / len(steps))
    taken = [take(base, step, asks) for step in steps]
    faults = [f"{one['path']}: {one['fault']}" for one in taken if one["fault"]]
    is_out = in_maintenance(name)
    vitals.observe(name.removeprefix("portal_"), "ttfb", min(taken[0]["ms"], 60_000))
    counts = {
        "portal.checks": int(not is_out),
        "portal.failed": int(bool(faults) and not is_out and failed_before(name) >= DOWN_AFTER - 1),
    }
    values: dict[str, Any] = {"portal.up": int(not faults), "portal.first_byte": taken[0]["ms"], **counts}
    state = CheckState.FAILED if faults else CheckState.OK
    return Reading(values, {"steps": taken}, state, "; ".join(faults))


def failed_before(name: str) -> int:
    """Return how many checks in a row failed up to now: one slow answer is no outage, three are."""
    since = timezone.now() - timedelta(minutes=10)
    rows = Snapshot.objects.filter(module=name, captured_at__gte=since).order_by("-captured_at")
    ups = list(rows.values_list("values", flat=True)[: DOWN_AFTER - 1])
    return sum(values.get("portal.up") == 0 for values in ups)


def address() -> str:
    """Return where the portals answer: as the settings say, else where this copy was started."""
    if settings.HEALTHPILOT_URL:
        return str(settings.HEALTHPILOT_URL)
    start = processes.current(settings.HEALTHPILOT_VAR)
    return start.url.rstrip("/") if start else ""


def exists(path: str) -> bool:
    """Say whether this project has a page at a path."""
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def take(base: str, step: Step, asks: Client) -> dict[str, Any]:
    """Ask for one page and compare."""
    began = time.perf_counter()
    fault = ""
    try:
        answer = asks.request("GET", f"{base}{step.path}")
        status, text = answer.status_code, answer.text
    except OutboundError as error:
        status, text = error.status or 0, ""
        fault = "" if status == step.status else str(error)
    ms = round((time.perf_counter() - began) * 1000, 1)
    if not fault and status != step.status:
        fault = f"answered {status}, not {step.status}"
    if not fault and step.holds and step.holds not in text:
        fault = f"does not hold “{step.holds}”"
    return {"path": step.path, "status": status, "ms": ms, "fault": fault}


@lru_cache
def client(limit_s: float) -> Client:
    """Return what asks for a page, and waits so many seconds for it."""
    return Client("portals", limit_s=limit_s, tries=1, headers={MARK_HEADER: mark()})


def in_maintenance(name: str) -> bool:
    """Say whether a window of maintenance covers a portal now."""
    now = timezone.now()
    windows = Maintenance.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("id")[:200]
    probe = Alert(rule="portal.availability", module=name, target="")
    return any(matches(window, probe) for window in windows)


def available(name: str) -> Reading:
    """Return the share of checks of the last 30 days that went well, in percent."""
    now = timezone.now()
    tens = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(AVAILABLE.format(grain="10m"), [name, now - DAYS, tens - timedelta(minutes=10)])
        long = cursor.fetchone()
        cursor.execute(AVAILABLE.format(grain="1m"), [name, tens - timedelta(seconds=1), now])
        short = cursor.fetchone()
    checks, failed = long[0] + short[0], long[1] + short[1]
    if checks < FEWEST:
        return Reading({}, {"checks": int(checks)}, CheckState.DISABLED, "Judged after a day of checks")
    return Reading({"portal.availability": round(100 * (1 - failed / checks), 3)}, {"checks": int(checks)})
