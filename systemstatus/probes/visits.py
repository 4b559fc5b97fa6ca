"""What real visits told of a portal's pages since the last pass, as counts by bucket."""

from typing import Any, Final

from systemstatus.probes.integrations import last_values
from systemstatus.probes.web import CATCH_UP, redis_minute
from systemstatus.registry import CheckState, Reading
from telemetry import flushing, vitals
from telemetry.histograms import Histogram

DRAINED: Final = "portal.drained"


def visits(module: str) -> Reading:
    """Return the histograms of one portal; a minute without a visit says nothing, and makes nothing green."""
    portal = module.removeprefix("portal_")
    with flushing.client() as broker:
        minute = redis_minute(broker)
        first = max(int(last_values(module).get(DRAINED, 0)) + 1, minute - CATCH_UP)
        counted = [flushing.seen(vitals.KIND, one, broker=broker) for one in range(first, minute)]
    merged = {name: Histogram() for name in vitals.SCALES}
    for one in counted:
        for name, histogram in merged.items():
            if told := one.get((portal, name)):
                histogram.merge(told)
    values: dict[str, Any] = {DRAINED: minute - 1, "portal.visits": merged["lcp"].count}
    for name, histogram in merged.items():
        if histogram.count:
            values[f"portal.{name}_told"] = {str(b): count for b, count in sorted(histogram.counts.items())}
    if any(histogram.count for name, histogram in merged.items() if name != "ttfb"):
        return Reading(values)
    # First bytes come of the portal's own check as well, which says by itself how it stands.
    return Reading(values, state=CheckState.DISABLED, note="No visit told anything since the last pass")
