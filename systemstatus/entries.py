"""Reads of the audit trail: by filter and cursor, one entry, all for a file, and how it stood around them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from healthpilot.web.pages import Page
from healthpilot.web.sheets import Cell, Sheet
from systemstatus import registry
from systemstatus.alerts.queries import newest_first
from systemstatus.changes import MINUTES
from systemstatus.models import AuditEntry
from systemstatus.notify.retention import KEPT

# What people look for, and how its actions begin.
FAMILIES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "release": ("Releases", ("deploy",)),
    "migration": ("Migrations", ("migrate",)),
    "settings": ("Settings", ("settings.",)),
    "budget": ("Budgets", ("budget.",)),
    "price": ("Prices", ("price.",)),
    "token": ("API tokens", ("token.",)),
    "job": ("Jobs and queues", ("job.", "queue.", "schedule.")),
    "error": ("Errors", ("error.",)),
    "alert": ("Alerts", ("alert.",)),
}
CHUNK: Final = 1000
MOST_LETTERS: Final = 300
HEADS: Final = (
    "id", "occurred_at", "actor", "action", "target", "before", "after", "reason", "previous_seal", "seal",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which entries: of a family of actions, by and of names that contain a text, between two days."""

    family: str = ""
    who: str = ""
    what: str = ""
    first_on: date | None = None
    last_on: date | None = None

    @property
    def name(self) -> str:
        return repr((self.family, self.who, self.what, self.first_on, self.last_on))


def chosen(wanted: Wanted, until: datetime | None = None) -> "QuerySet[AuditEntry]":
    """Return the entries that are wanted, up to a time."""
    rows = AuditEntry.objects.all()
    if wanted.family:
        starts = (Q(action__startswith=start) for start in FAMILIES[wanted.family][1])
        rows = rows.filter(reduce(or_, starts))
    if wanted.who:
        rows = rows.filter(actor__icontains=wanted.who)
    if wanted.what:
        rows = rows.filter(target__icontains=wanted.what)
    if wanted.first_on:
        rows = rows.filter(occurred_at__gte=datetime.combine(wanted.first_on, time.min, UTC))
    if wanted.last_on:
        rows = rows.filter(
            occurred_at__lt=datetime.combine(wanted.last_on, time.min, UTC) + timedelta(days=1)
        )
    return rows.filter(occurred_at__lte=until) if until else rows


def page_of(wanted: Wanted, *, cursor: str | None, until: datetime | None = None) -> Page[AuditEntry]:
    """Return one page of entries, the newest first; raises CursorError."""
    scope = f"audit:{wanted.name}:{until or ''}"
    return newest_first(chosen(wanted, until), "occurred_at", scope=scope, cursor=cursor, limit=None)


def entry(entry_id: int) -> AuditEntry | None:
    return AuditEntry.objects.filter(pk=entry_id).first()


def sheet(wanted: Wanted, now: datetime) -> Sheet:
    """Return the wanted entries as a file, the oldest first; rows are read as they are written."""
    return Sheet(f"audit-{now:%Y-%m-%d}", HEADS, rows_for(wanted))


def rows_for(wanted: Wanted) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows, a thousand a query: no cursor stays open as long as a slow reader takes."""
    last = 0
    while found := list(chosen(wanted).filter(pk__gt=last).order_by("pk")[:CHUNK]):
        for one in found:
            yield tuple(cell(getattr(one, name)) for name in HEADS)
        last = found[-1].pk


def cell(value: Any) -> Cell:
    return text_of(value, None) if isinstance(value, dict | list) else value


@dataclass(frozen=True)
class Difference:
    """One part of what an entry changed, as texts; empty where there was none."""

    name: str
    before: str
    after: str


def differences(one: AuditEntry, most: int = MOST_LETTERS) -> list[Difference]:
    """Return what an entry changed, part by part; parts that stayed are left out."""
    before, after = (value if isinstance(value, dict) else {} for value in (one.before, one.after))
    names = [*after, *(name for name in before if name not in after)]
    return [
        Difference(name, part(before, name, most), part(after, name, most))
        for name in names
        if before.get(name) != after.get(name) or (name in before) != (name in after)
    ]


def part(values: Mapping[str, Any], name: str, most: int) -> str:
    return text_of(values[name], most) if name in values else ""


def text_of(value: Any, most: int | None) -> str:
    """Return a JSON value as a person reads it, cut where it is long."""
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        text = ", ".join(map(str, value)) or "empty"
    elif isinstance(value, str):
        text = value or "empty"
    else:
        text = "none" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if most is None or len(text) <= most else f"{text[:most]}…"


# At an instant: how bad the worst alert was as it then stood, and how bad the newest snapshots were, as the
# verdict ranks both (a test holds the two equal): 2 is an error, 1 a warning; no rank of snapshots is nothing
# collected.
STOOD: Final = """
SELECT asked.at, (
    SELECT max(CASE WHEN alert.core AND coalesce(step.severity, alert.severity) = 'critical' THEN 2
        WHEN coalesce(step.to_state, alert.state) IN ('no_data', 'error')
            OR coalesce(step.severity, alert.severity) IN ('critical', 'warning') THEN 1 ELSE 0 END)
    FROM alerts AS alert LEFT JOIN LATERAL (
        SELECT to_state, severity FROM alert_transitions
        WHERE alert_id = alert.id AND occurred_at <= asked.at ORDER BY id DESC LIMIT 1) AS step ON true
    WHERE fired_at <= asked.at AND (closed_at IS NULL OR closed_at > asked.at)
), coalesce({minutes}, {tens}, {hours})
FROM unnest(%(moments)s::timestamptz[]) AS asked(at)"""
SEEN: Final = """(
    SELECT max(CASE WHEN seen.module = ANY(%(core)s) AND {is_down} THEN 2
        WHEN state IN ('critical', 'warning') THEN 1
        WHEN state IN ('unknown', 'skipped') AND seen.module = ANY(%(core)s) THEN 1 ELSE 0 END)
    FROM status_snapshots_{grain} AS seen WHERE captured_at = (
        SELECT max(captured_at) FROM status_snapshots_{grain}
        WHERE captured_at <= asked.at AND captured_at > asked.at - interval '{reach}'))"""
# Down are three failures in a row, and what nothing is known of for more than five minutes.
LASTS: Final = """EXISTS (SELECT FROM status_snapshots_1m AS earlier
    WHERE earlier.module = seen.module AND earlier.state = seen.state AND (
        (seen.state = 'critical' AND earlier.captured_at = seen.captured_at - interval '2 minutes')
        OR (seen.state = 'unknown' AND earlier.captured_at = seen.captured_at - interval '6 minutes')))"""
STATEMENT: Final = STOOD.format(
    minutes=SEEN.format(grain="1m", reach="5 minutes", is_down=LASTS),
    tens=SEEN.format(grain="10m", reach="20 minutes", is_down="state = 'critical'"),
    hours=SEEN.format(grain="1h", reach="2 hours", is_down="state = 'critical'"),
)
STATUSES: Final = ("ok", "warn", "error")


@dataclass(frozen=True)
class Around:
    """How the whole stood half an hour before a moment and after it; None for what has not come yet."""

    before_at: datetime
    before: str
    after_at: datetime
    after: str | None


def around(moments: Iterable[datetime], now: datetime) -> dict[datetime, Around]:
    """Return how it stood around each moment; one query. Where neither is kept of then, it is unknown."""
    step = timedelta(minutes=MINUTES)
    wanted = list(dict.fromkeys(moments))
    asked = sorted({moment + way for moment in wanted for way in (-step, step) if moment + way <= now})
    stood = {at: "unknown" for at in asked if at < now - KEPT}
    stood |= how_it_stood([at for at in asked if at not in stood])
    return {
        moment: Around(moment - step, stood[moment - step], moment + step, stood.get(moment + step))
        for moment in wanted
    }


def how_it_stood(moments: list[datetime]) -> dict[datetime, str]:
    """Return the status of the whole at each moment; one query, none without moments."""
    if not moments:
        return {}
    core = [module.name for module in registry.modules() if module.core]
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"moments": moments, "core": core})
        return {at: status(told or 0, seen) for at, told, seen in cursor.fetchall()}


def status(told: int, seen: int | None) -> str:
    """Return the status of two ranks; where nothing was collected, alerts alone can say that it was bad."""
    return "unknown" if seen is None and not told else STATUSES[max(told, seen or 0)]
