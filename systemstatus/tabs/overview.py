"""The overview: the verdict, every module with its day, four signals, what is open, muted and changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

from django.http import QueryDict

from healthpilot.web.templatetags.figures import relative
from systemstatus import heartbeats, judging, queries
from systemstatus.alerts.quiet import Hush
from systemstatus.changes import OfEntry
from systemstatus.figures import BY_LEVEL
from systemstatus.heartbeats import Series
from systemstatus.models import Alert, AuditEntry
from systemstatus.moment import Moment
from systemstatus.phrases import capital, phrase, title_of
from systemstatus.standing import NONE, OFF, WORDS, Standing, of_alert, standings
from systemstatus.thresholds import BY_ID, Threshold
from systemstatus.verdict import Verdict, verdict
from systemstatus.wording import figure_text, limit_pair

CHANGES: Final = 10
LISTED: Final = 8
SOON_BEFORE: Final = timedelta(minutes=60)


@dataclass(frozen=True)
class Signal:
    """One of the four golden signals: which metrics tell it, the first that is measured counts."""

    key: str
    label: str
    metrics: tuple[tuple[str, str], ...]
    filled_by: str


SIGNALS: Final = (
    Signal("traffic", "Traffic", (("api.requests", "a minute"), ("queue.throughput", "jobs per min")),
           "The middleware counts requests once people come."),
    Signal("errors", "Errors", (("api.errors", "%"), ("queue.failures", "%")),
           "Counted from 50 requests or 20 job runs on."),
    Signal("latency", "Latency", (("api.p95", "ms"), ("cache.rtt", "ms")),
           "Measured from 20 requests on."),
    Signal("saturation", "Saturation", (("db.connections", "%"), ("host.disk", "%")),
           "The collector asks PostgreSQL for its connections each minute."),
)  # fmt: skip
NAMES: Final = {
    "api.requests": "requests", "queue.throughput": "jobs done", "api.errors": "5xx share", "api.p95": "p95",
    "queue.failures": "failed job runs", "cache.rtt": "Redis round trip", "db.connections": "connections",
    "host.disk": "disk",
}  # fmt: skip


# What a budget's samples are counted by, where it wants a number of them.
SAMPLES: Final = {"requests": "api.requests", "runs": "queue.runs"}


@dataclass(frozen=True)
class SignalCard:
    """A golden signal as its card shows it; value is empty where nothing measures it yet."""

    key: str
    label: str
    value: str
    note: str
    foot: str
    status: str
    series: Sequence[Decimal | None]


@dataclass(frozen=True)
class ModuleLine:
    """One module in the grid: how it stands, its day, and the figure that says most."""

    standing: Standing
    strip: Sequence[str]
    figure: str
    figure_name: str


@dataclass(frozen=True)
class AlertLine:
    """One open alert in a list; muted: why nobody is told, empty where they are."""

    alert: Alert
    status: str
    said: str
    cause: str
    age: str
    muted: str


@dataclass(frozen=True)
class Change(OfEntry):
    """One entry of the audit trail; before: how long before the trouble began, where that was soon before."""

    entry: AuditEntry
    before: str


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    found = standings(moment)
    ruling = verdict(moment, found)
    alerts = alert_lines(moment)
    return {
        "verdict": ruling,
        "layers": layers_of(moment, [one for one in found if one.status != OFF]),
        "off": [one for one in found if one.status == OFF],
        "coverage": covered(moment),
        "slots_from": heartbeats.slots_of(moment)[0],
        "slot_minutes": heartbeats.slot_minutes(moment),
        "signals": signals(moment, heartbeats.trends(moment)),
        "alert_lines": alerts[:LISTED],
        "more_alerts": max(0, len(alerts) - LISTED),
        "muted": [line for line in alerts if line.muted],
        "changes": changes(moment, ruling),
        "summary": summary(moment, ruling, found, alerts),
    }


def covered(moment: Moment) -> str:
    """Return how much of the project's routes, tasks and clients is watched; empty if unknown."""
    row = moment.rows.get("coverage")
    share = row.values.get("coverage.share") if row else None
    return "" if share is None else figure_text(share, "%")


def layers_of(moment: Moment, found: Sequence[Standing]) -> list[tuple[str, list[ModuleLine]]]:
    """Return the modules by layer."""
    strips = heartbeats.strips_of(moment)
    lines = [(one.module.layer, module_line(one, strips)) for one in found]
    return [
        (capital(str(layer)), [line for _, line in group])
        for layer, group in groupby(lines, key=lambda pair: pair[0])
    ]


def module_line(one: Standing, strips: Mapping[str, Sequence[str]]) -> ModuleLine:
    name, text = leading(one)
    return ModuleLine(one, strips.get(one.module.name, []), text, name)


def leading(one: Standing) -> tuple[str, str]:
    """Return the name and text of the figure that says most: of its worst alert, or its first metric."""
    values = one.row.values if one.row else {}
    rules = {alert.rule for alert in one.alerts}
    ordered = sorted(one.module.metrics, key=lambda metric: metric.budget not in rules)
    for metric in ordered:
        value = heartbeats.number_of(metric.id, values[metric.id]) if metric.id in values else None
        if value is not None:
            return metric.title, figure_text(value, metric.unit)
    return "", ""


def signals(moment: Moment, series: Series) -> list[SignalCard]:
    return [card(signal, moment, series) for signal in SIGNALS]


def card(signal: Signal, moment: Moment, series: Series) -> SignalCard:
    """Return one signal's card: its newest figure beside its limit, and its day."""
    for metric, unit in signal.metrics:
        values = next((found for (_, name), found in series.items() if name == metric), [])
        newest = values[-1] if values else None
        if newest is None:
            continue
        budget = BY_ID.get(metric)
        is_judged = budget is not None and samples_of(budget, moment) >= budget.at_least
        level = BY_LEVEL[judging.level_of(budget, "", newest, "")] if budget and is_judged else NONE
        return SignalCard(
            signal.key, signal.label, figure_text(newest, unit), NAMES[metric],
            limit_pair(budget)[0].capitalize() if budget else "24 h",
            NONE if moment.is_gone else level, [decimal(value) for value in values],
        )  # fmt: skip
    return SignalCard(signal.key, signal.label, "", "No data yet", signal.filled_by, NONE, [])


def samples_of(budget: Threshold, moment: Moment) -> float:
    """Return how many samples the newest minute holds for a budget that wants a number of them."""
    counts = [row.values.get(SAMPLES.get(budget.samples, "")) for row in moment.rows.values()]
    return max((count for count in counts if isinstance(count, int | float)), default=0)


def decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(round(value, 3)))


def alert_lines(moment: Moment) -> list[AlertLine]:
    """Return the open alerts, with why nobody is told of those that are kept quiet."""
    hush = queries.hush_at(moment.at, moment.alerts) if moment.alerts else None
    return [
        AlertLine(
            alert,
            of_alert(alert),
            capital(phrase(alert)),
            f"Caused by {title_of(alert.caused_by)}" if alert.caused_by else title_of(alert.module),
            relative(moment.at - alert.began_at).removesuffix(" ago"),
            muted(alert, hush),
        )
        for alert in moment.alerts
    ]


def muted(alert: Alert, hush: Hush | None) -> str:
    """Return why nobody is told of an alert, with titles for names."""
    reason = hush.reason(alert) if hush else ""
    return f"caused by {title_of(alert.caused_by)}" if reason == f"caused by {alert.caused_by}" else reason


def changes(moment: Moment, ruling: Verdict) -> list[Change]:
    """Return the last changes, with how soon before the trouble those came that did."""
    return [Change(entry, before(entry, ruling.since)) for entry in queries.changes_until(moment.at, CHANGES)]


def before(entry: AuditEntry, since: datetime | None) -> str:
    if since is None or not timedelta() <= since - entry.occurred_at <= SOON_BEFORE:
        return ""
    minutes = round((since - entry.occurred_at).total_seconds() / 60)
    return f"{minutes} min before"


def summary(moment: Moment, ruling: Verdict, found: Sequence[Standing], alerts: Sequence[AlertLine]) -> str:
    """Return the overview as plain text, for a message to others."""
    at = f"{moment.at:%Y-%m-%d %H:%M} UTC"
    modules = [f"- {one.module.title}: {one.word}" for one in found if one.status not in {"ok", "info"}]
    told = [f"- {WORDS[line.status]}: {line.said} ({line.cause}, {line.age})" for line in alerts]
    parts = [f"System Status, {at}: {ruling.word}", ruling.sentence, ruling.why]
    parts += ["", "Not well:", *modules] if modules else []
    parts += ["", f"Open alerts: {len(alerts)}", *told] if told else []
    return "\n".join(parts)
