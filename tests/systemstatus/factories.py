"""Snapshots and alerts as the collector and the engine would leave them: a quiet day, and a bad night."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from orjson import dumps

from systemstatus import grains, registry
from systemstatus.alerts.bounds import key_of
from systemstatus.models import Alert, AlertState, Severity, Snapshot, StatusLease
from systemstatus.registry import Module
from systemstatus.sessions import Session
from systemstatus.thresholds import BY_ID

HOSTILE = '<img src=x onerror="alert(1)">&amp;\u202e{{7*7}}'


def this_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)


def make_snapshot(
    module: str | Module, at: datetime | None = None, *, state: str = "ok", **fields: Any
) -> Snapshot:
    """Store how a module stood in one minute; checks and values as given."""
    cache.clear()  # pages keep what they read of a minute
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
    StatusLease.objects.update_or_create(name="alerts", defaults={"minute": end, "done_at": timezone.now()})
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
    found: dict[str, Any] = {
        metric.id: round(quiet(metric.budget) * (1 if is_share_of_good(metric.budget) else sway), 2)
        for metric in module.metrics
    }
    return found | {name: WELL[name] for name in found.keys() & WELL.keys()} | dict(given)


# What no budget judges, and what it is where all is well.
WELL: Mapping[str, float] = {"coverage.share": 100, "governance.faults": 0}


def quiet(budget: str) -> float:
    row = BY_ID.get(budget)
    if row is None:
        return 12.0
    return 99.95 if row.below else row.warning / 8


def is_share_of_good(budget: str) -> bool:
    """Such a figure is quiet near its most, so that it must not sway."""
    return budget in BY_ID and BY_ID[budget].below


PLAIN = ("module", "captured_at", "state", "error")
AS_JSON = ("values", "worst", "detail", "checks")


def store(rows: Sequence[Snapshot]) -> None:
    """Store snapshots by COPY, tens of thousands in a second or two; those that are there stay."""
    cache.clear()
    for day in sorted({row.captured_at.date() for row in rows}):
        grains.ensure_partitions(next(row.captured_at for row in rows if row.captured_at.date() == day))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE made (LIKE status_snapshots_1m INCLUDING DEFAULTS) ON COMMIT DROP")
        with cursor.copy(f"COPY made ({', '.join((*PLAIN, *AS_JSON))}) FROM STDIN") as copy:
            for row in rows:
                plain = (getattr(row, name) for name in PLAIN)
                copy.write_row((*plain, *(dumps(getattr(row, name)).decode() for name in AS_JSON)))
        cursor.execute("INSERT INTO status_snapshots_1m SELECT * FROM made ON CONFLICT DO NOTHING")
        cursor.execute("DROP TABLE made")  # a test's own transaction may store once more


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


ALTER = "ALTER TABLE rating_cdr ADD COLUMN rated_by varchar(?)"
UPDATE = "UPDATE rating_cdr SET rated_at = ? WHERE id = ANY(?)"
PROBLEMS: Mapping[str, Mapping[str, Any]] = {
    "postgres": {
        "db.lock_wait": 2040.0,
        "db.idle_in_tx": 2460.0,
        "db.longest_query": 2052.4,
        "db.connections": 78.0,
    },
    "redis": {"cache.rtt": 80.4},
    "dataqueue": {"queue.oldest": {"paid": 4.0, "free": 1860.0, "heavy": 0.0}, "queue.depth": {"free": 412}},
}
BLOCKING = [
    {"pid": 48213, "depth": 0, "waits_s": None, "waits_for": "", "holds": ["rating_cdr (AccessShareLock)"],
     "state": "idle in transaction", "app": "metabase", "account": "report_reader", "transaction_s": 2460.0,
     "query": "SELECT carrier, sum(cost) FROM rating_cdr WHERE day = ? GROUP BY carrier", "blocked": 1},
    {"pid": 48377, "depth": 1, "waits_s": 2040.0, "waits_for": "relation rating_cdr (AccessExclusiveLock)",
     "holds": [], "state": "active", "app": "healthpilot-migrate", "account": "healthpilot",
     "transaction_s": 2052.0, "query": ALTER, "blocked": 2},
    *[{"pid": pid, "depth": 2, "waits_s": waits, "waits_for": "relation rating_cdr (RowExclusiveLock)",
       "holds": [], "state": "active", "app": "healthpilot-worker", "account": "healthpilot",
       "transaction_s": waits, "query": UPDATE, "blocked": 0}
      for pid, waits in ((48391, 2030.0), (48402, 2011.5))],
]  # fmt: skip


def make_bad_night(*, minutes: int = 35, hours: int = 2) -> None:
    """Store a day whose last half hour went wrong: a session holds a lock, Redis is slow, jobs late."""
    now = this_minute()
    make_day(until=now, hours=hours)
    went_wrong = Snapshot.objects.filter(captured_at__gt=now - timedelta(minutes=minutes))
    for row in went_wrong.filter(module__in=PROBLEMS):
        row.values |= PROBLEMS[row.module]
        Snapshot.objects.filter(module=row.module, captured_at=row.captured_at).update(values=row.values)
    Snapshot.objects.filter(module="postgres", captured_at=now).update(detail=DATABASE)
    since = now - timedelta(minutes=9)
    names = [probe.name for probe in registry.registered["dataqueue"].probes] or ["depth"]
    failed = check(names[0], "failed", at=now, error="no answer within 1 s", last_ok=since.isoformat())
    checks = [failed, *(check(name, at=now) for name in names[1:])]
    Snapshot.objects.filter(module="dataqueue", captured_at__gt=since).update(
        state="critical", checks=checks, error="no answer within 1 s"
    )
    common = {"unit": "s"}
    make_alert("db.idle_in_tx", "postgres", minutes=41, value=2460, **common)
    make_alert("db.lock_wait", "postgres", minutes=34, value=2040, **common)
    make_alert("db.longest_query", "postgres", minutes=34, value=2052.4, **common)
    make_alert("cache.rtt", "redis", minutes=32, value=80.4, unit="ms", caused_by="postgres")
    make_alert(
        "queue.oldest", "dataqueue", target="free", minutes=31, value=1860, caused_by="postgres", **common
    )
    depth: dict[str, Any] = {"severity": "warning", "value": 412, "unit": "jobs", "caused_by": "postgres"}
    make_alert("queue.depth", "dataqueue", target="free", minutes=24, **depth)
    cache.clear()


def listed(pid: int, app: str, state: str, query: str, seconds: float) -> dict[str, Any]:
    return {"pid": pid, "app": app, "account": "healthpilot", "state": state, "query": query, "waits_for": "",
            "query_s": seconds, "state_s": seconds, "transaction_s": seconds}  # fmt: skip


def held_session() -> Session:
    """Return the session at the top of the blocking tree, as its own page would find it."""
    began = timezone.now() - timedelta(minutes=41)
    return Session(
        48213, "client backend", "metabase", "report_reader", "healthpilot", "idle in transaction",
        "SELECT carrier, sum(cost) FROM rating_cdr WHERE day = ? GROUP BY carrier", began, began, began,
        is_asking=False, blocks=3,
    )  # fmt: skip


DATABASE: Mapping[str, Any] = {
    "server": {"version": "18.4", "up_s": 1_213_000},
    "connections": {"states": {"active": 12, "idle": 58, "idle in transaction": 1, "background": 7},
                    "most": 100},
    "applications": {"healthpilot-web": 42, "healthpilot-worker": 30, "metabase": 1},
    "longest_queries": [
        listed(48377, "healthpilot-migrate", "active", ALTER, 2052.4),
        listed(48391, "healthpilot-worker", "active", UPDATE, 2030.0),
        listed(47990, "healthpilot-web", "active", "SELECT date_trunc(?, created_at), sum(input_tokens) FROM "
               "telemetry_llm_events WHERE context_type = ? GROUP BY ?", 48.1),
    ],
    "idle_in_tx": [
        listed(48213, "metabase", "idle in transaction", "SELECT carrier, sum(cost) FROM rating_cdr", 2460.0)
    ],
    "blocking": BLOCKING,
    "tables": [
        {"name": "telemetry_job_events", "parts": 90, "table_bytes": 98_000_000_000,
         "index_bytes": 31_000_000_000, "rows": 410_000_000},
        {"name": "rating_cdr", "parts": 12, "table_bytes": 22_000_000_000, "index_bytes": 9_000_000_000,
         "rows": 92_000_000},
        {"name": "cost_user_daily", "parts": 1, "table_bytes": 812_000_000, "index_bytes": 402_000_000,
         "rows": 4_500_000},
    ],
    "dead_tuples": [
        {"name": "rating_cdr", "live": 92_000_000, "dead": 5_980_000, "share": 6.1, "vacuumed_at": None,
         "analyzed_at": None, "remedy": 'VACUUM (ANALYZE) "rating_cdr";'},
    ],
    "bloat": [
        {"name": "cost_user_daily", "bytes": 812_000_000, "rows": 4_500_000, "share": 31.0,
         "remedy": 'VACUUM FULL "cost_user_daily";'},
    ],
    "xid_ages": [{"datname": "healthpilot", "xid_age": 212_000_000, "mxid_age": 8_100_000}],
    "sequences": [{"name": "public.audit_entries_id_seq", "last_value": 90_210, "max_value": 2_147_483_647,
                   "used": 4.2}],
    "statements": [
        {"query": "UPDATE cost_user_daily SET cost_exact = ? WHERE user_id = ?", "calls": 812_000,
         "rows": 812_000, "total_ms": 1_410_220.4, "mean_ms": 1.737, "share": 41.2},
        {"query": "SELECT * FROM job WHERE state = ? FOR UPDATE SKIP LOCKED LIMIT ?", "calls": 9_120_000,
         "rows": 410_000, "total_ms": 801_120.0, "mean_ms": 0.088, "share": 23.4},
    ],
    "indexes": {
        "unused": [
            {"name": "rating_cdr_carrier", "table": "rating_cdr", "bytes": 410_000_000, "partitioned": False,
             "definition": "CREATE INDEX rating_cdr_carrier ON rating_cdr (carrier)",
             "remedy": 'DROP INDEX CONCURRENTLY IF EXISTS "rating_cdr_carrier";',
             "migration": "from django.db import migrations\n"},
        ],
        "duplicate": [],
        "invalid": [],
    },
    "replication": {"replicas": [], "slots": [], "is_replica": False, "behind_s": None},
}  # fmt: skip
