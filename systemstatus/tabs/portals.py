"""The tab Portals: whether people can reach us, and how fast pages are for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict

from systemstatus import heartbeats, queries, windows
from systemstatus.findings import Level
from systemstatus.judging import level_of
from systemstatus.models import Snapshot
from systemstatus.moment import Moment
from systemstatus.queries import PortalDay
from systemstatus.registry import Layer
from systemstatus.standing import OFF, Standing, of_layers, standings
from systemstatus.tabs import generic
from systemstatus.thresholds import BY_ID
from systemstatus.wording import figure_text

# What is no portal: for how many days certificates and names are good.
LASTING: Final = ("certificates", "domains")
STATUSES: Final = {Level.OK: "ok", Level.WARNING: "warn", Level.CRITICAL: "error"}
# What visits of the last hour tell; first bytes also come of the checks.
VITALS: Final = (
    ("portal.ttfb", "First byte, p75"),
    ("portal.lcp", "Largest paint, p75"),
    ("portal.inp", "Next paint, p75"),
    ("portal.cls", "Layout shift, p75"),
)


@dataclass(frozen=True)
class Fact:
    """One figure of a portal: its words, its text, and the status that its budget gives it."""

    label: str
    value: str
    note: str = ""
    status: str = ""


@dataclass(frozen=True)
class Portal:
    """One portal: how it stands, its figures, its last day, and the steps of a visitor in the last check."""

    standing: Standing
    is_off: bool
    facts: Sequence[Fact]
    marks: Sequence[str]
    steps: Sequence[Mapping[str, Any]]
    checks: Sequence[generic.Check]


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return each portal, and for how long certificates are valid."""
    found = of_layers(standings(moment), (Layer.EDGE,))
    names = [one.module.name for one in found]
    days = queries.portal_days(names, moment.at, moment.newest, moment.grain)
    strips = heartbeats.strips_of(moment)
    return {
        "portals": [
            portal(one, days.get(one.module.name), strips, moment)
            for one in found
            if one.module.name not in LASTING
        ],
        "slot_minutes": heartbeats.slot_minutes(moment),
        "lasting": [(one, certificates(one)) for one in found if one.module.name in LASTING],
    }


def portal(
    one: Standing,
    day: PortalDay | None,
    strips: Mapping[str, Sequence[str]],
    moment: Moment,
) -> Portal:
    return Portal(
        standing=one,
        is_off=one.status == OFF,
        facts=facts(one, day, moment),
        marks=strips.get(one.module.name, []),
        steps=day.detail.get("steps", []) if day else [],
        checks=generic.checks(one, moment),
    )


def facts(one: Standing, day: PortalDay | None, moment: Moment) -> list[Fact]:
    """Return the figures of a portal; what was not measured is unknown and says what would measure it."""
    values = one.row.values if one.row and not moment.is_gone else {}
    return [
        lately(day),
        judged("Available, 30 days", "portal.availability", values.get("portal.availability"),
               "Judged after a day of checks"),
        *(of_visits(label, name, day, moment) for name, label in VITALS),
    ]  # fmt: skip


def lately(day: PortalDay | None) -> Fact:
    """Return the availability of the last 24 hours; time in maintenance is no part of it."""
    if day is None or not day.checks:
        return Fact("Available, 24 hours", "Unknown", "No check in these hours", "unknown")
    share = 100 * (1 - day.failed / day.checks)
    status = STATUSES[level_of(BY_ID["portal.availability"], "", share, "")]
    note = f"{day.failed:,} of {day.checks:,} checks failed"
    return Fact("Available, 24 hours", figure_text(share, "%"), note, status)


def of_visits(label: str, name: str, day: PortalDay | None, moment: Moment) -> Fact:
    """Return what visits of the last hour tell; too few are n/a, none are unknown and never well."""
    budget = BY_ID[name]
    hour = [Snapshot(values=values) for values in (day.hour if day and not moment.is_gone else [])]
    count = told(hour, windows.QUANTILES[name][0])
    value = windows.figures(budget, hour).get("")
    if value is None and count:
        what = "checks and visits" if name == "portal.ttfb" else "visits"
        return Fact(label, "n/a", f"{count} of {windows.fewest(budget)} {what} that it takes")
    said = "" if budget.at_least == 0 else f"{count:,} visits"
    return judged(label, name, value, "No visit told it in this hour", said)


def told(hour: Sequence[Snapshot], name: str) -> int:
    """Return how many visits told a metric."""
    return sum(sum(row.values.get(name, {}).values()) for row in hour)


def judged(label: str, budget: str, value: float | None, missing: str, note: str = "") -> Fact:
    row = BY_ID[budget]
    if value is None:
        return Fact(label, "Unknown", missing, "unknown")
    unit = "" if row.unit == "score" else row.unit
    return Fact(label, figure_text(value, unit), note, STATUSES[level_of(row, "", value, "")])


def certificates(one: Standing) -> list[tuple[str, str, str]]:
    """Return for how many days each certificate is valid: host, text and status, the soonest to end first."""
    value = one.row.values.get("tls.days", {}) if one.row else {}
    left = value if isinstance(value, Mapping) else {"": value}
    ordered = sorted(left.items(), key=lambda pair: (pair[1], pair[0]))
    return [
        (host, f"{int(days)} days", STATUSES[level_of(BY_ID["tls.days"], host, days, "")])
        for host, days in ordered
    ]
