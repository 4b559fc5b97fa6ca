"""What System Status watches on the floors below itself."""

from systemstatus.probes import host, itself, queues, redis, web, workers
from systemstatus.probes.postgres import activity, counters, indexes, locks, replication, tables
from systemstatus.registry import Layer, Metric, Module, Probe, register

COSTLY_S = 600

register(
    Module(
        name="postgres",
        title="PostgreSQL",
        layer=Layer.DATABASE,
        core=True,
        owner="systemstatus",
        probes=(
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
        probes=(Probe("requests", web.requests), Probe("exceptions", web.exceptions)),
        metrics=(
            Metric("api.requests", "requests", "Requests in the last minute"),
            Metric("api.p50", "ms", "Latency p50", "api.p50"),
            Metric("api.p95", "ms", "Latency p95", "api.p95"),
            Metric("api.p99", "ms", "Latency p99", "api.p99"),
            Metric("api.errors", "%", "5xx share", "api.errors"),
            Metric("api.burn", "x", "Error-budget burn", "api.burn"),
            Metric("api.exceptions", "per h", "Unhandled exceptions", "api.exceptions"),
        ),
    )
)
register(
    Module(
        name="redis",
        title="Redis",
        layer=Layer.CACHE,
        core=True,
        owner="systemstatus",
        probes=(Probe("round_trip", redis.round_trip), Probe("state", redis.state)),
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
    )
)
