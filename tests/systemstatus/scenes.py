"""A bad night for pages to show: alerts with a cause, changes before them, messages, silences, odd texts."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import time_machine
from django.utils import timezone

from healthpilot.dataqueue.models import Job
from systemstatus.alerts import actions
from systemstatus.audit import record_audit
from systemstatus.jobs import VERIFY
from systemstatus.models import Alert, AlertState, AlertTransition, ErrorGroup, ErrorHour, Notification
from systemstatus.notify import outbox
from tests.systemstatus.factories import (
    check,
    make_alert,
    make_day,
    make_snapshot,
    snapshot,
    store,
    this_minute,
)

ODD: Final = ("<script>alert(1)</script>", "\u202eمرحبا evil", "W" * 40, "🦄" * 20)


def make_night() -> None:
    """Store a bad night: PostgreSQL explains the queue, of Redis little is known, and texts are odd."""
    make_day(hours=1)
    now = timezone.now()
    make_changes(now)
    make_alerts(now)
    make_ended(now)
    make_messages(now)
    make_quiet(now)


def make_changes(now: datetime) -> None:
    told: tuple[tuple[int, str, str, str, Any, Any, str], ...] = (
        (52, "start on web-1", "deploy", "release", {"release": "0.1.0+aaa"}, {"release": "0.1.0+bbb"}, ""),
        (51, "migrate on web-1", "migrate", "database", None, {"applied": ["costs.0005_more"]}, ""),
        (40, "ada", "budget.save", "tier:free", {"daily_jobs_cap": "500"}, {"daily_jobs_cap": "5"}, "save"),
        (38, ODD[0], "price.set", ODD[1], None, {"input": "1.5", ODD[2]: ODD[3]}, ODD[0]),
        (5, "bob", "queue.pause", "queue free", None, None, "too much"),
    )
    for minutes, actor, action, target, before, after, reason in told:
        with time_machine.travel(now - timedelta(minutes=minutes), tick=False):
            record_audit(actor=actor, action=action, target=target, before=before, after=after, reason=reason)


def make_alerts(now: datetime) -> None:
    parent = make_alert(
        "db.connections", "postgres", minutes=34, value=94, unit="%", message="Connections used is 94 %."
    )
    make_alert(
        "queue.oldest", "dataqueue", target="free", minutes=30, value=412, unit="s", caused_by="postgres",
        message="Oldest waiting job of free is 412 s.",
    )  # fmt: skip
    make_alert("cache.rtt", "redis", severity="warning", minutes=12, state=AlertState.NO_DATA)
    for number, text in enumerate(ODD):
        make_alert("check.down", "host", target=text, severity="warning", minutes=3 + number, message=text)
    make_alert("db.bloat", "postgres", severity="warning", minutes=1, fired_at=None, state=AlertState.PENDING)
    actions.acknowledge(parent.pk, actor="maren", note=f"Raising the pool. {ODD[0]}", now=now)
    for alert in Alert.objects.filter(fired_at__isnull=False):
        step(alert, "ok", "pending", alert.began_at)
        step(alert, "pending", "firing", alert.began_at + timedelta(minutes=2))


def step(alert: Alert, before: str, after: str, at: datetime) -> None:
    AlertTransition.objects.create(
        alert=alert, occurred_at=at, from_state=before, to_state=after, severity=alert.severity,
        value=alert.value, message=alert.message,
    )  # fmt: skip


def make_ended(now: datetime) -> None:
    for hours in (3, 26):
        began = now - timedelta(hours=hours)
        make_alert(
            "cost.rollup_age", "costs", target=f"{hours}", minutes=hours * 60, state=AlertState.RESOLVED,
            closed_at=began + timedelta(minutes=42), acknowledged_by="ada", message="No day was closed.",
        )  # fmt: skip


def make_messages(now: datetime) -> None:
    at = now - timedelta(minutes=33)
    states = (
        {"state": "sent", "sent_at": at, "attempts": 1},
        {"state": "waiting", "attempts": 4, "error": f"The receiver answered 503. {ODD[0]}"},
        {"state": "given_up", "attempts": 31, "error": "No address."},
    )
    for fields in states:
        body = {"data": {"title": f"CRITICAL: Connections used is 94 %. {ODD[1]}"}}
        notice = outbox.queue("alert", ["webhook"], due=at, now=at, group="postgres", body=body)
        Notification.objects.filter(notice=notice).update(**fields)


def make_checks() -> None:
    """Store checks of the audit trail: one that found a bad entry, one that holds, one that runs."""
    make_changes(timezone.now())
    made: tuple[dict[str, Any], ...] = (
        {"state": "succeeded", "result": {"entries": 5, "broken": 2, "first_broken": 3, "why": ODD[0]}},
        {"state": "succeeded", "result": {"entries": 5, "broken": 0}},
        {"state": "running", "done": 2, "total": 5, "unit": "entries", "lease_until": timezone.now()},
    )
    for fields in made:
        Job.objects.create(
            kind=VERIFY, tier="system", user_id="ada", domain="system", queue_class="system", actor="ada",
            **fields,
        )  # fmt: skip


def make_quiet(now: datetime) -> None:
    actions.silence(
        rule="check.*", target="W*", actor="ada", reason=f"Known. {ODD[0]}", now=now,
        ends_at=now + timedelta(hours=4),
    )  # fmt: skip
    actions.add_maintenance(
        module="postgres", actor="bob", reason="Upgrade to 18.7", now=now,
        starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=1, hours=2),
    )  # fmt: skip


def make_jobs() -> None:
    """Store what the collector sees of a busy queue: workers, canaries, a late schedule, odd jobs."""
    now = this_minute()
    make_day(hours=1, until=now - timedelta(minutes=1))
    make_queue_snapshots(now)
    make_job_rows(timezone.now())


def make_queue_snapshots(now: datetime) -> None:
    standing = {"running": 2, "deferred": 1, "failed": 1, "parked": 1}
    queues = [
        {"name": name, "waiting": waiting, "paused": name == "heavy", **standing}
        for name, waiting in (("paid", 3), ("free", 412), ("heavy", 0), ("system", 1))
    ]
    kinds = [{"type": text, "runs": 30 * place + 1, "failed": place, "mean_ms": 812.5, "mean_wait_ms": 91.2,
              "longest_wait_ms": 12_400} for place, text in enumerate(("report.build", *ODD))]  # fmt: skip
    make_snapshot(
        "dataqueue", now, state="warning", checks=[check("depth"), check("types")],
        values={"queue.depth": {"free": 412}, "queue.oldest": {"paid": 2, "free": 412, "heavy": 0}},
        detail={"queues": queues, "types": kinds, "types_minutes": 15, "running": []},
    )  # fmt: skip
    task = {"task": f"dataqueue.run {ODD[0]}", "id": "1", "for_s": 71.4}
    workers = [
        {"name": f"celery@{text}", "pid": 4711, "age_s": age, "queues": ["paid", "free"], "at_once": 2,
         "done": 1234, "running": [task], "running_count": 1, "started_at": now.isoformat()}
        for text, age in (("web-1", 3.1), (ODD[2], 74.0))
    ]  # fmt: skip
    canaries = [{"queue": "paid", "seconds": 0.04}, {"queue": "free", "seconds": 93.0}]
    make_snapshot(
        "workers", now, state="critical", checks=[check("workers", "failed", error=ODD[0]), check("canary")],
        detail={"workers": workers, "queues_without_worker": ["heavy"], "canaries": canaries},
    )  # fmt: skip
    entries = [
        {"name": name, "task": "costs.rollup", "every_s": 60.0, "late_s": late, "runs": 4,
         "last_run_at": now.isoformat(), "next_run_at": (now + timedelta(minutes=1)).isoformat()}
        for name, late in (("celery.backend_cleanup", 0), ("roll up open days", 0), ("collect metrics", 75))
    ]  # fmt: skip
    entries[0]["every_s"] = 0
    make_snapshot("beat", now, checks=[check("schedule")], detail={"schedule": entries})


def make_job_rows(now: datetime) -> None:
    states: tuple[dict[str, Any], ...] = (
        {"state": "running", "done": 1200, "total": 4000, "unit": "rows", "lease_until": now},
        {"state": "running", "lease_until": now, "cancel_by": "ada"},
        {
            "state": "deferred",
            "not_before": now + timedelta(hours=3),
            "defer_reason": f"CPU is used up. {ODD[0]}",
        },
        {"state": "failed", "not_before": now + timedelta(minutes=3), "error_code": "Timeout", "attempt": 2},
        {"state": "dead", "error_code": "ValueError", "error_message": ODD[2] + ODD[1], "finished_at": now},
        {"state": "parked", "error_code": "WorkerLost", "error_message": ODD[0]},
        {"state": "succeeded", "done": 9, "unit": "rows", "finished_at": now},
        {"state": "waiting"},
    )
    for place, fields in enumerate(states):
        Job.objects.create(
            kind="telemetry.import", tier="free", user_id=ODD[place % 4][:40], domain="tests",
            queue_class="free", **fields,
        )  # fmt: skip


def make_requests() -> None:
    """Store what web processes counted: routes well and ill, an hour of answers, groups of exceptions."""
    now = this_minute()
    make_day(hours=1, until=now - timedelta(minutes=1))
    make_changes(now)
    lines = [
        {"route": route, "method": "GET", "calls": calls, "errors": failed,
         "error_share": 100 * failed / calls, "p50": p50, "p95": 4 * p50, "p99": 6 * p50,
         "apdex": 0.94, "max_ms": 9 * p50}
        for route, calls, failed, p50 in (
            ("/admin/cost", 412, 0, 62.0), ("/admin/status/<slug:slug>", 96, 7, 310.0),
            (f"/{ODD[0]}", 3, 3, 900.0), (ODD[2], 1, 0, 2.5), ("(others)", 40, 0, 20.0),
        )
    ]  # fmt: skip
    values = {"api.status": {"2xx": 540, "3xx": 12, "5xx": 10}, "api.requests": 562, "api.errors_5xx": 10}
    make_snapshot(
        "web", now, state="warning", checks=[check("requests"), check("exceptions")], values=values,
        detail={"routes": lines, "routes_minutes": 15},
    )  # fmt: skip
    for place, text in enumerate(("IntegrityError", *ODD)):
        make_error(text, now - timedelta(minutes=3 * place))


def make_error(text: str, at: datetime, **fields: Any) -> ErrorGroup:
    """Store a group of exceptions of this type, a day old."""
    name = sha256(text.encode()).hexdigest()[:32]
    ErrorHour.objects.create(fingerprint=name, hour=at.replace(minute=0), count=7)
    given: dict[str, Any] = {
        "type": text, "message": f"It went wrong: {text}", "place": "costs/views.py:31 dashboard",
        "route": "/admin/cost", "method": "GET", "release": "0.1.0+bbb", "count": 41,
        "sample": {"frames": ["costs/views.py:31 dashboard", f"costs/queries.py:88 {text}"]},
        "first_at": at - timedelta(hours=20), "last_at": at, "opened_at": at - timedelta(minutes=30),
        **fields,
    }  # fmt: skip
    return ErrorGroup.objects.create(fingerprint=name, **given)


def make_portals() -> None:
    """Store two hours of checks of the portals: one answers badly, one is not there, one was never seen."""
    now = this_minute()
    rows = [
        snapshot(
            "portal_admin", now - timedelta(minutes=minutes), state="critical" if minutes == 0 else "ok",
            values={"portal.checks": 1, "portal.failed": int(minutes == 0), "portal.first_byte": 40.0,
                    "portal.ttfb_told": {"22": 1}, "portal.availability": 99.8},
            detail={"steps": [
                {"path": "/accounts/login/", "status": 200, "ms": 38.5, "fault": ""},
                {"path": f"/admin/{ODD[0]}", "status": 500, "ms": 912.0, "fault": "answered 500, not 302"},
            ]},
        )
        for minutes in range(121)
    ]  # fmt: skip
    checks = [check("visit", "disabled", error="There is no page at /portal/")]
    rows.append(snapshot("portal_customer", now, state="disabled", checks=checks))
    left = {"far.example.com": 61.3, "soon.example.com": 5.9, ODD[0]: 12.0}
    rows.append(snapshot("certificates", now, state="critical", values={"tls.days": left}))
    store(rows)
