"""What System Status watches on the floors below itself."""

from systemstatus.probes import postgres, redis
from systemstatus.registry import Layer, Metric, Module, Probe, register

register(
    Module(
        name="postgres",
        title="PostgreSQL",
        layer=Layer.DATABASE,
        core=True,
        owner="systemstatus",
        probes=(Probe("activity", postgres.activity), Probe("counters", postgres.counters)),
        metrics=(
            Metric("db.connections", "%", "Connections used", "db.connections"),
            Metric("db.connections_used", "connections", "Connections"),
        ),
        tasks=("systemstatus.",),
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
            Metric("cache.rtt", "ms", "Round trip", "cache.rtt"),
            Metric("cache.memory", "%", "Memory of its maximum", "cache.memory"),
        ),
    )
)
