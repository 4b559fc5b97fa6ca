"""The newest snapshots as Prometheus reads them: figures by module and target, states, alerts, the age."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

from systemstatus import registry
from systemstatus.models import Alert, ModuleState, Seen
from systemstatus.moment import Moment, moment_of

NAME: Final = re.compile(r"[^a-zA-Z0-9_]+")
MOST_TARGETS: Final = 100


class Exposed:
    """One moment, as metric families."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every family; a figure that was not measured is left out, never nought."""
        yield from figures(self.moment.rows)
        yield states(self.moment.rows)
        yield open_alerts(self.moment.alerts)
        if self.moment.age_s is not None:
            age = "Seconds since the newest snapshot."
            yield GaugeMetricFamily("healthpilot_snapshot_age_seconds", age, value=self.moment.age_s)


def figures(rows: Mapping[str, Seen]) -> Iterator[GaugeMetricFamily]:
    """Yield a family for each metric that modules declare."""
    families: dict[str, GaugeMetricFamily] = {}
    for module in registry.modules():
        row = rows.get(module.name)
        for metric in module.metrics if row else ():
            value = row.values.get(metric.id) if row else None
            if value is None:
                continue
            name = f"healthpilot_{NAME.sub('_', metric.id)}"
            told = f"{metric.title} ({metric.unit})"
            family = families.setdefault(name, GaugeMetricFamily(name, told, labels=["module", "target"]))
            for target, one in by_target(value):
                family.add_metric([module.name, target], one)
    yield from families.values()


def by_target(value: object) -> Iterable[tuple[str, float]]:
    """Return a value by its targets, the first hundred."""
    if isinstance(value, Mapping):
        return [(str(target), float(one)) for target, one in list(value.items())[:MOST_TARGETS]]
    return [("", float(str(value)))]


def states(rows: Mapping[str, Seen]) -> GaugeMetricFamily:
    """Return 1 for the state that each module is in, 0 for the others."""
    family = GaugeMetricFamily("healthpilot_module_state", "State of a module.", labels=["module", "state"])
    for name, row in rows.items():
        for state in ModuleState.values:
            family.add_metric([name, state], float(row.state == state))
    return family


def open_alerts(alerts: Iterable[Alert]) -> GaugeMetricFamily:
    """Return how many alerts are open, by severity."""
    family = GaugeMetricFamily(
        "healthpilot_open_alerts", "Alerts that fired and are open.", labels=["severity"]
    )
    counts = Counter(alert.severity for alert in alerts)
    for severity in ("critical", "warning", "info"):
        family.add_metric([severity], counts[severity])
    return family


def text(now: datetime) -> bytes:
    """Return the newest snapshots in Prometheus's text format; two queries."""
    collectors = CollectorRegistry(auto_describe=False)
    collectors.register(Exposed(moment_of("", now)))
    return generate_latest(collectors)
