"""What System Status watches on the floors below itself."""

from functools import partial

from django.conf import settings

from healthpilot.dataqueue import kinds
from systemstatus import services
from systemstatus.probes import (
    certificates,
    domains,
    host,
    itself,
    portals,
    queues,
    redis,
    visits,
    web,
    workers,
)
from systemstatus.probes.postgres import activity, counters, indexes, locks, replication, round_trip, tables
from systemstatus.registry import Layer, Metric, Module, Probe, register
from systemstatus.thresholds import own_limits

COSTLY_S = 600

own_limits["queue.progress"] = kinds.progress_limits
own_limits["queue.oldest"] = lambda queue_class: settings.DATAQUEUE_OLDEST_S.get(queue_class)

register(
    Module(
        name="postgres",
        title="PostgreSQL",
        layer=Layer.DATABASE,
        core=True,
        owner="systemstatus",
        probes=(
            Probe("round trip", round_trip.round_trip),
            Probe("activity", activity.activity),
            Probe("locks", locks.locks),
            Probe("counters", counters.counters),
            Probe("replication", replication.replication),
            Probe("statements", counters.statements, every_s=COSTLY_S),
            Probe("ids", counters.ids, every_s=COSTLY_S),
            Probe("sizes", tables.sizes, every_s=COSTLY_S),
            Probe("dead tuples", tables.dead, every_s=COSTLY_S),
            Probe("bloat", tables.bloat, every_s=COSTLY_S),
            Probe("indexes", indexes.indexes, every_s=COSTLY_S),
        ),
        metrics=(
            Metric("db.connections", "%", "Connections used", "db.connections"),
            Metric("db.connections_used", "connections", "Connections"),
            Metric("db.longest_query", "s", "Longest query", "db.longest_query"),
            Metric("db.idle_in_tx", "s", "Oldest idle transaction", "db.idle_in_tx"),
            Metric("db.lock_wait", "s", "Longest lock wait", "db.lock_wait"),
            Metric("db.lock_table", "%", "Lock table used", "db.lock_table"),
            Metric("db.replica_lag", "s", "Replica lag", "db.replica_lag"),
            Metric("db.inactive_slot", "min", "Inactive slot", "db.inactive_slot"),
            Metric("db.dead_tuples", "%", "Dead tuples", "db.dead_tuples"),
            Metric("db.bloat", "%", "Estimated bloat", "db.bloat"),
            Metric("db.xid_age", "transactions", "Oldest transaction id", "db.xid_age"),
            Metric("db.sequence", "%", "Sequence used", "db.sequence"),
            Metric("db.cache_hit", "%", "Buffer cache hit", "db.cache_hit"),
            Metric("db.deadlocks", "per 5 min", "Deadlocks", "db.deadlocks"),
            Metric("db.rtt", "ms", "Round trip"),
            Metric("db.size_bytes", "bytes", "Database size"),
        ),
        tasks=("systemstatus.",),
    )
)
register(
    Module(
        name="web",
        title="Requests",
        layer=Layer.APP,
        core=True,
        owner="telemetry",
        depends_on=("postgres", "redis"),
        probes=(
            Probe("requests", web.requests, counts=True),
            Probe("exceptions", web.exceptions, counts=True),
        ),
        metrics=(
            Metric("api.requests", "requests", "Requests in the last minute"),
            Metric("api.p50", "ms", "Latency p50", "api.p50"),
            Metric("api.p95", "ms", "Latency p95", "api.p95"),
            Metric("api.p99", "ms", "Latency p99", "api.p99"),
            Metric("api.errors", "%", "5xx share", "api.errors"),
            Metric("api.burn", "x", "Error-budget burn", "api.burn"),
            Metric("api.exceptions", "per h", "Unhandled exceptions", "api.exceptions"),
        ),
        routes=("/healthz/", "/metrics", "/api/status", "/admin/status", "/api/openapi.json", "/api/$"),
    )
)
register(
    Module(
        name="redis",
        title="Redis",
        layer=Layer.CACHE,
        core=True,
        owner="systemstatus",
        probes=(
            Probe("round_trip", redis.round_trip),
            Probe("state", redis.state),
            Probe("keys", redis.keys, every_s=COSTLY_S),
        ),
        metrics=(
            Metric("cache.hit", "%", "Cache hit", "cache.hit"),
            Metric("cache.rtt", "ms", "Round trip", "cache.rtt"),
            Metric("cache.memory", "%", "Memory of its maximum", "cache.memory"),
            Metric("cache.evictions", "per min", "Evictions", "cache.evictions"),
        ),
    )
)
register(
    Module(
        name="dataqueue",
        title="DataQueue",
        layer=Layer.QUEUE,
        core=True,
        owner="healthpilot.dataqueue",
        depends_on=("postgres",),
        probes=(
            Probe("depth", queues.depth),
            Probe("progress", queues.progress),
            Probe("outcomes", queues.outcomes),
            Probe("types", queues.types),
        ),
        metrics=(
            Metric("queue.oldest", "s", "Oldest waiting job", "queue.oldest"),
            Metric("queue.depth", "jobs", "Waiting jobs", "queue.depth"),
            Metric("queue.progress", "s", "Without progress", "queue.progress"),
            Metric("queue.failures", "%", "Failed attempts", "queue.failures"),
        ),
        routes=("/admin/jobs", "/api/jobs"),
        tasks=("dataqueue.",),
    )
)
register(
    Module(
        name="workers",
        title="Celery workers",
        layer=Layer.QUEUE,
        core=True,
        owner="systemstatus",
        depends_on=("postgres", "redis"),
        probes=(Probe("workers", workers.workers), Probe("canary", workers.canary)),
        metrics=(
            Metric("queue.worker_heartbeat", "s", "Heartbeat age", "queue.worker_heartbeat"),
            Metric("queue.canary", "s", "Canary round trip", "queue.canary"),
        ),
    )
)
register(
    Module(
        name="beat",
        title="Schedule",
        layer=Layer.QUEUE,
        core=True,
        owner="systemstatus",
        depends_on=("postgres", "redis"),
        probes=(Probe("schedule", workers.schedule),),
        metrics=(Metric("queue.beat_lateness", "s", "Lateness", "queue.beat_lateness"),),
    )
)
register(
    Module(
        name="collector",
        title="Collector and alerts",
        layer=Layer.APP,
        core=True,
        owner="systemstatus",
        depends_on=("postgres", "workers", "beat"),
        probes=(
            Probe("stages", itself.stages),
            Probe("unsent", itself.unsent),
            Probe("watchdog", itself.watchdog),
        ),
        metrics=(
            Metric("collector.pass", "s", "Length of a pass", "collector.pass"),
            Metric("alerts.unsent", "s", "Oldest unsent notification", "alerts.unsent"),
        ),
    )
)
register(
    Module(
        name="host",
        title="This machine",
        layer=Layer.STORAGE,
        core=True,
        owner="systemstatus",
        probes=(Probe("disk", host.disk), Probe("load", host.load)),
        metrics=(
            Metric("host.disk", "%", "Disk used", "host.disk"),
            Metric("host.load", "a core", "Load"),
            Metric("host.memory", "%", "Memory used"),
        ),
    )
)
register(
    Module(
        name="spool",
        title="Telemetry spool",
        layer=Layer.STORAGE,
        core=True,
        owner="telemetry",
        depends_on=("postgres",),
        probes=(Probe("spool", host.spool),),
        routes=("/admin/instrument", "/admin/import", "/api/ingest"),
        tasks=("telemetry.", "imports."),
    )
)
for name, title, routes, steps in (
    (
        "portal_marketing",
        "Marketing site",
        ("/$", "/theme", "/vitals"),
        (portals.Step("/", holds="HealthPilot"),),
    ),
    (
        "portal_admin",
        "Super admin portal",
        (
            "/admin$",
            "/admin/$",
            "/admin/api",
            "/admin/design",
            "/admin/tokens",
            "/admin/django",
            "/accounts/",
        ),
        (
            portals.Step("/accounts/login/", holds="csrfmiddlewaretoken"),
            portals.Step("/admin/cost", status=302),
        ),
    ),
    ("portal_customer", "Customer portal", ("/portal",), (portals.Step("/portal/", status=302),)),
):
    register(
        Module(
            name=name,
            title=title,
            layer=Layer.EDGE,
            core=True,
            owner="healthpilot.portals",
            depends_on=("postgres", "web"),
            probes=(
                Probe("visit", portals.steps_of(name, steps)),
                Probe("availability", partial(portals.available, name), every_s=COSTLY_S),
                Probe("visits", partial(visits.visits, name), counts=True),
            ),
            metrics=(
                Metric("portal.ttfb", "ms", "First byte, p75", "portal.ttfb"),
                Metric("portal.lcp", "ms", "Largest paint, p75", "portal.lcp"),
                Metric("portal.inp", "ms", "Next paint, p75", "portal.inp"),
                Metric("portal.cls", "score", "Layout shift, p75", "portal.cls"),
                Metric("portal.visits", "visits", "Visits in the last minute"),
                Metric("portal.first_byte", "ms", "First byte of a check"),
                Metric("portal.availability", "%", "Available over 30 days", "portal.availability"),
            ),
            routes=routes,
            clients=("portals",),
        )
    )
register(
    Module(
        name="coverage",
        title="Coverage",
        layer=Layer.APP,
        core=False,
        owner="systemstatus",
        probes=(Probe("coverage", itself.covered, every_s=COSTLY_S),),
        metrics=(Metric("coverage.share", "%", "Routes, tasks and clients watched"),),
    )
)
register(
    Module(
        name="certificates",
        title="Certificates",
        layer=Layer.EDGE,
        core=False,
        owner="systemstatus",
        probes=(Probe("days left", certificates.days_left, every_s=3600),),
        metrics=(Metric("tls.days", "days", "Days left", "tls.days"),),
    )
)
register(
    Module(
        name="domains",
        title="Domains",
        layer=Layer.EDGE,
        core=False,
        owner="systemstatus",
        probes=(Probe("days left", domains.days_left, every_s=6 * 3600),),
        metrics=(Metric("tls.days", "days", "Days left", "tls.days"),),
        clients=("rdap",),
    )
)
services.register_all()
