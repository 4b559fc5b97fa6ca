"""What System Status watches of costs: the nightly rollup and the caps."""

from costs import alerting
from systemstatus.registry import Layer, Metric, Module, Probe, register

register(
    Module(
        name=alerting.ROLLUP,
        title="Nightly rollup",
        layer=Layer.APP,
        core=True,
        owner="costs",
        depends_on=("postgres", "workers", "beat"),
        probes=(Probe("age", alerting.age_reading),),
        metrics=(Metric("cost.rollup_age", "h", "Last close of a day", "cost.rollup_age"),),
        routes=("/admin/cost", "/api/admin/cost"),
        tasks=("costs.",),
    )
)
register(
    Module(
        name=alerting.BUDGETS,
        title="Cost budgets",
        layer=Layer.APP,
        core=True,
        owner="costs",
        depends_on=("postgres", alerting.ROLLUP),
        probes=(Probe("caps", alerting.caps_reading),),
        metrics=(Metric("cost.budget", "%", "Cap used", "cost.budget"),),
    )
)
