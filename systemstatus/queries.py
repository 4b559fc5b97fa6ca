"""What the pages of System Status read of snapshots and alerts; no page asks anything else."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from django.db import connection
from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Greatest, JSONObject, Least

from systemstatus.alerts.life import RANK
from systemstatus.alerts.quiet import Hush
from systemstatus.grains import Grain
from systemstatus.models import (
    Alert,
    AlertTransition,
    AuditEntry,
    Maintenance,
    Seen,
    Silence,
    Snapshot,
)

MOST_ALERTS: Final = 400
ALERTS_LEASE: Final = "alerts"
DAY: Final = timedelta(hours=24)


KNOWN: Final = """
SELECT known.*, told.* FROM (SELECT
    (SELECT captured_at FROM {table} WHERE captured_at <= %s ORDER BY captured_at DESC LIMIT 1) AS newest,
    (SELECT done_at FROM status_leases WHERE name = %s) AS judged_at,
    (SELECT id FROM audit_entries ORDER BY occurred_at DESC, id DESC LIMIT 1) AS changed
) AS known LEFT JOIN LATERAL ({alerts}) AS told ON true"""


@dataclass(frozen=True)
class Known:
    """What tells whether anything is new at an instant.

    newest: when the newest snapshots up to it were captured. judged_at: when alerts were evaluated last.
    changed: the newest entry of the audit trail. told: the alerts of told_rows, those that were open at the
    instant first, the worst and newest before the others. Each is None where there is none.
    """

    newest: datetime | None
    judged_at: datetime | None
    changed: int | None
    told: list[Alert]


def known_at(grain: Grain, at: datetime, *, is_past: bool) -> Known:
    """Return what tells whether anything is new; one query, whatever stands behind it."""
    alerts, values = told_rows(at, is_past=is_past).query.sql_with_params()
    statement = KNOWN.format(table=grain.table, alerts=alerts)
    rows: list[Any] = list(Alert.objects.raw(statement, [at, ALERTS_LEASE, *values]))
    found = [as_then(row, at) if is_past else row for row in rows if row.pk is not None]
    told = sorted(found, key=lambda alert: (not was_open(alert, at), -RANK[alert.severity]))
    return Known(rows[0].newest, rows[0].judged_at, rows[0].changed, told)


def rows_at(grain: Grain, captured_at: datetime | None) -> dict[str, Seen]:
    """Return the snapshots captured at an instant, by module, without their detail; one query."""
    model: Any = grain.model
    rows = model.objects.filter(captured_at=captured_at).defer("detail") if captured_at else ()
    return {row.module: row for row in rows}


def window(names: Iterable[str], at: datetime, minutes: int, grain: Grain) -> dict[str, list[Seen]]:
    """Return the snapshots of modules within so many minutes before an instant, the newest first; one query.

    Only values, states and times are read.
    """
    model: Any = grain.model
    since = at - timedelta(minutes=max(minutes, grain.minutes))
    rows = model.objects.filter(module__in=list(names), captured_at__gt=since, captured_at__lte=at)
    found: dict[str, list[Seen]] = {}
    for row in rows.only("module", "captured_at", "state", "values").order_by("-captured_at"):
        found.setdefault(row.module, []).append(row)
    return found


def minutes_of(
    modules: Sequence[str], metrics: Sequence[str], since: datetime, until: datetime
) -> list[Seen]:
    """Return what certain metrics of modules were in each stored minute, the oldest first; one query."""
    rows = Snapshot.objects.filter(module__in=modules, captured_at__gt=since, captured_at__lte=until)
    rows = rows.filter(values__has_any_keys=list(metrics))
    return list(rows.only("module", "captured_at", "values").order_by("captured_at"))


def details(names: Sequence[str], at: datetime, grain: Grain) -> dict[str, dict[str, Any]]:
    """Return what tabs list of modules, from the snapshots captured at an instant; one query."""
    model: Any = grain.model
    rows = model.objects.filter(module__in=list(names), captured_at=at)
    return dict(rows.values_list("module", "detail"))


def told_rows(at: datetime, *, is_past: bool) -> "QuerySet[Any]":
    """Return up to 400 alerts that had fired by an instant and were open in the 24 hours before."""
    open_then = Q(closed_at=None) | Q(closed_at__gt=at) if is_past else Q(closed_at=None)
    rows = Alert.objects.filter(open_then | Q(closed_at__gt=at - DAY), fired_at__lte=at)
    rows = rows.order_by(F("closed_at").desc(nulls_first=True), "-began_at")
    return (with_step(rows, at) if is_past else rows)[:MOST_ALERTS]


def with_step(rows: "QuerySet[Alert]", at: datetime) -> "QuerySet[Any]":
    """Return alerts with the last step that each had taken by an instant."""
    step = AlertTransition.objects.filter(alert=OuterRef("pk"), occurred_at__lte=at).order_by("-id")
    told = JSONObject(state="to_state", severity="severity", value="value", message="message")
    return rows.annotate(step=Subquery(step.values(told=told)[:1]))


def as_then(alert: Any, at: datetime) -> Alert:
    """Return an alert as it was at an instant: state, severity and value of its last step by then."""
    step = json.loads(alert.step) if isinstance(alert.step, str) else alert.step
    for name, value in (step or {}).items():
        setattr(alert, name, value)
    if alert.acknowledged_at and alert.acknowledged_at > at:
        alert.acknowledged_by, alert.acknowledged_at, alert.acknowledgement = "", None, ""
    return cast("Alert", alert)


def was_open(alert: Alert, at: datetime) -> bool:
    return alert.closed_at is None or alert.closed_at > at


WORST_FIRST: Final = ("critical", "unknown", "warning", "skipped", "ok", "disabled")
SLOTS: Final = """
SELECT module, floor(extract(epoch FROM captured_at - %(since)s) / %(seconds)s)::int AS slot,
    min(CASE state WHEN 'critical' THEN 0 WHEN 'unknown' THEN 1 WHEN 'warning' THEN 2 WHEN 'skipped' THEN 3
        WHEN 'ok' THEN 4 ELSE 5 END) AS worst
FROM {table} WHERE captured_at >= %(since)s AND captured_at <= %(until)s GROUP BY 1, 2
"""


def worst_states(grain: Grain, since: datetime, until: datetime, minutes: int) -> dict[tuple[str, int], str]:
    """Return the worst state of each module in each slot of so many minutes since an instant; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            SLOTS.format(table=grain.table), {"since": since, "until": until, "seconds": minutes * 60}
        )
        return {(module, slot): WORST_FIRST[rank] for module, slot, rank in cursor.fetchall()}


RUNS: Final = """
SELECT module, told ->> 'name', ((extract(epoch FROM %(until)s - captured_at)) / %(seconds)s)::int AS back,
    told ->> 'state'
FROM {table}, jsonb_array_elements(checks) AS told
WHERE captured_at > %(since)s AND captured_at <= %(until)s
"""


def check_states(grain: Grain, until: datetime, most: int) -> list[tuple[str, str, int, str]]:
    """Return module, check, how many snapshots back, and state of each run of late; one query."""
    span = timedelta(minutes=grain.minutes * most)
    sql = RUNS.format(table=grain.table)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"since": until - span, "until": until, "seconds": grain.minutes * 60})
        return list(cursor.fetchall())


def samples(grain: Grain, times: Sequence[datetime]) -> list[tuple[str, datetime, dict[str, Any]]]:
    """Return module, time and values of the snapshots captured at these times; one query."""
    model: Any = grain.model
    return list(model.objects.filter(captured_at__in=times).values_list("module", "captured_at", "values"))


def hush_at(at: datetime, alerts: Sequence[Alert]) -> Hush:
    """Return what kept alerts quiet at an instant: silences, maintenance, failing parents; one query."""
    names = ("rule", "module", "target", "author", "reason", "starts_at", "ends_at")
    parts = [
        model.objects.filter(starts_at__lte=at, ends_at__gt=at).values_list(Value(kind), *names)
        for kind, model in (("silence", Silence), ("maintenance", Maintenance))
    ]
    rows = list(parts[0].union(parts[1], all=True)[:MOST_ALERTS])
    return Hush(
        [Silence(**dict(zip(names, told, strict=True))) for kind, *told in rows if kind == "silence"],
        [Maintenance(**dict(zip(names, told, strict=True))) for kind, *told in rows if kind == "maintenance"],
        frozenset(alert.module for alert in alerts if not alert.caused_by),
    )


def changes_until(at: datetime, most: int) -> list[AuditEntry]:
    """Return what was changed up to an instant, the newest first, without before and after; one query."""
    rows = AuditEntry.objects.filter(occurred_at__lte=at).defer("before", "after")
    return list(rows.order_by("-occurred_at", "-id")[:most])


def newest_minute() -> datetime | None:
    """Return when the newest snapshots were captured; one query.

    Those of the future were captured before the clock was set back.
    """
    until = datetime.now(UTC) + timedelta(minutes=1)
    rows = Snapshot.objects.filter(captured_at__lte=until).order_by("-captured_at")
    return rows.values_list("captured_at", flat=True).first()


def breaches_since(since: datetime, until: datetime) -> dict[str, tuple[int, float]]:
    """Return for each rule how often an alert fired in a span, and for how many minutes in all; one query."""
    ended = Least(Coalesce("closed_at", Value(until)), Value(until))
    rows = (
        Alert.objects.filter(fired_at__lte=until)
        .filter(Q(closed_at=None) | Q(closed_at__gt=since))
        .values("rule")
        .annotate(
            times=Count("id"),
            lasted=Sum(ExpressionWrapper(ended - Greatest("fired_at", Value(since)), DurationField())),
        )
    )
    return {row["rule"]: (row["times"], row["lasted"].total_seconds() / 60) for row in rows[:MOST_ALERTS]}


@dataclass(frozen=True)
class PortalDay:
    """A portal's last 24 hours: checks outside maintenance and failed ones; the values of the last hour.

    detail: what the newest snapshot lists of it.
    """

    checks: int
    failed: int
    hour: list[dict[str, Any]]
    detail: Mapping[str, Any]


PORTAL_DAY: Final = """
SELECT module, coalesce(sum(("values" ->> 'portal.checks')::float8), 0),
    coalesce(sum(("values" ->> 'portal.failed')::float8), 0),
    coalesce(jsonb_agg("values")
        FILTER (WHERE captured_at > %(newest)s::timestamptz - interval '1 hour'), '[]'),
    (SELECT detail FROM {table} AS newest WHERE newest.module = day.module AND captured_at = %(newest)s)
FROM {table} AS day
WHERE module = ANY(%(names)s) AND captured_at > %(at)s - interval '24 hours' AND captured_at <= %(at)s
GROUP BY module"""


def portal_days(
    names: Sequence[str], at: datetime, newest: datetime | None, grain: Grain
) -> dict[str, PortalDay]:
    """Return the last 24 hours of portals up to an instant, by module; one query.

    newest: when the snapshots were captured whose detail is wanted, and that the hour ends with.
    """
    statement = PORTAL_DAY.format(table=grain.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"names": list(names), "at": at, "newest": newest})
        return {
            name: PortalDay(int(checks), int(failed), json.loads(hour), json.loads(detail or "{}"))
            for name, checks, failed, hour, detail in cursor.fetchall()
        }
