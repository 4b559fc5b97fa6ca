"""The tab Alerts: what is open, why, who was told, and what is kept quiet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from healthpilot.web.pages import CursorError
from systemstatus import registry
from systemstatus.alert_forms import VIEWS, AlertsForm
from systemstatus.alerts import queries
from systemstatus.alerts.queries import OpenAlert
from systemstatus.alerts.quiet import Hush, failing_modules
from systemstatus.changes import Change, changes_before_each
from systemstatus.models import Alert, Maintenance, Notification, Severity, Silence
from systemstatus.moment import Moment
from systemstatus.notify.channels import configured
from systemstatus.phrases import value_of
from systemstatus.thresholds import BY_ID
from systemstatus.wording import limit_pair

BY_SEVERITY: Final = {Severity.CRITICAL: "error", Severity.WARNING: "warn", Severity.INFO: "info"}
SEVERITY_WORDS: Final = {Severity.CRITICAL: "Critical", Severity.WARNING: "Warning", Severity.INFO: "Info"}
# How a state is shown where it says more than the severity; resolved and ok are the ends.
BY_STATE: Final = {
    "pending": ("stale", "Pending"),
    "no_data": ("unknown", "No data"),
    "error": ("unknown", "Cannot be judged"),
    "recovering": ("stale", "Recovering"),
    "resolved": ("ok", "Resolved"),
    "ok": ("ok", "Never fired"),
}
MESSAGE_STATES: Final = {
    Notification.State.WAITING: ("stale", "Waiting"),
    Notification.State.SENT: ("ok", "Sent"),
    Notification.State.GIVEN_UP: ("error", "Given up"),
}


@dataclass(frozen=True)
class Shown:
    """An alert as a page tells it: why it is kept quiet, what changed before it, what it explains."""

    alert: Alert
    muted: str = ""
    changes: Sequence[Change] = ()
    children: "Sequence[Shown]" = field(default_factory=list)

    @property
    def status(self) -> str:
        return mark(self.alert)[0]

    @property
    def word(self) -> str:
        return mark(self.alert)[1]

    @property
    def module_title(self) -> str:
        return title_of(self.alert.module)

    @property
    def cause_title(self) -> str:
        return title_of(self.alert.caused_by)

    @property
    def value_text(self) -> str:
        return value_of(self.alert)

    @property
    def limit(self) -> str:
        """Where the alert's severity begins: 'warns below 99 %'; empty where no budget says."""
        budget = BY_ID.get(self.alert.rule)
        if budget is None:
            return ""
        warns, critical = limit_pair(budget, self.alert.target, self.alert.module)
        return critical if self.alert.severity == Severity.CRITICAL else warns


def title_of(module: str) -> str:
    """Return a module's title, its name where it is no longer registered."""
    found = registry.registered.get(module)
    return found.title if found else module


def mark(alert: Alert) -> tuple[str, str]:
    """Return the status and the word of an alert."""
    severity = Severity(alert.severity)
    usual = BY_SEVERITY[severity], SEVERITY_WORDS[severity]
    return usual if alert.state == "firing" else BY_STATE.get(alert.state, usual)


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows in the view that is asked for."""
    form = AlertsForm(params)
    asked, problems = form.asked()
    view, cursor = asked["view"], params.get("cursor")
    try:
        found = READS[view](moment, asked, cursor)
    except CursorError as error:
        problems.append(f"{error}".capitalize())
        found = READS[view](moment, asked, None)
    filters = form.shown(view)
    return {
        "view": view,
        "views": VIEWS,
        "filters": filters,
        "is_filtered": "alert" in asked or any(one.name in asked for one in filters),
        "alert_id": asked.get("alert"),
        "problems": problems,
        **found,
    }


def open_board(moment: Moment, asked: Mapping[str, Any], cursor: str | None) -> dict[str, object]:
    """Return what is open at the moment, by severity, with what is kept quiet."""
    silences, windows = queries.kept_quiet(moment.at)
    alerts = [alert for alert in moment.alerts if fits(alert, asked)]
    lines = shown(queries.tree(alerts, hush(moment, silences, windows)))
    groups = [
        (
            BY_SEVERITY[severity],
            SEVERITY_WORDS[severity],
            [one for one in lines if one.alert.severity == severity],
        )
        for severity in (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    ]
    return {
        "groups": [group for group in groups if group[2]],
        "silences": silences,
        "windows": windows,
        "is_cut": len(moment.alerts) >= queries.MOST_OPEN,
    }


def by_severity(lines: Sequence[Shown]) -> list[tuple[str, str, list[Shown]]]:
    """Return alerts as status, word and those of it, the worst first; what there is none of is left out."""
    found = [
        (BY_SEVERITY[of], SEVERITY_WORDS[of], [one for one in lines if one.alert.severity == of])
        for of in (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    ]
    return [group for group in found if group[2]]


def pending_board(moment: Moment, asked: Mapping[str, Any], cursor: str | None) -> dict[str, object]:
    """Return what is in breach and not yet long enough for an alert."""
    rows = queries.pending(moment.at, module=asked.get("module", ""), severity=asked.get("severity", ""))
    return {"pending": shown([OpenAlert(row) for row in rows])}


def timeline(moment: Moment, asked: Mapping[str, Any], cursor: str | None) -> dict[str, object]:
    page = queries.timeline(
        cursor=cursor, alert_id=asked.get("alert"), until=until(moment), **named(asked, "module", "severity")
    )
    steps = [(step, *step_mark(step.to_state, step.severity)) for step in page.rows]
    return {"page": page, "steps": steps}


def ended(moment: Moment, asked: Mapping[str, Any], cursor: str | None) -> dict[str, object]:
    page = queries.history(cursor=cursor, until=moment.at, **named(asked, "module", "severity"))
    return {"page": page, "ended": [Shown(alert) for alert in page.rows]}


def messages(moment: Moment, asked: Mapping[str, Any], cursor: str | None) -> dict[str, object]:
    page = queries.notifications(cursor=cursor, until=until(moment), **named(asked, "state", "channel"))
    told = [(row, *MESSAGE_STATES[Notification.State(row.state)]) for row in page.rows]
    return {"page": page, "told": told, "has_channels": bool(configured())}


READS: Final[dict[str, Callable[[Moment, Mapping[str, Any], str | None], dict[str, object]]]] = {
    "open": open_board,
    "pending": pending_board,
    "timeline": timeline,
    "ended": ended,
    "messages": messages,
}


def named(asked: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: asked[name] for name in names if name in asked}


def until(moment: Moment) -> datetime | None:
    """Return where a list ends: at a past minute, or nowhere, so that its pages stay the same."""
    return moment.at if moment.is_past else None


def step_mark(state: str, severity: str) -> tuple[str, str]:
    return mark(Alert(state=state, severity=severity))


def fits(alert: Alert, asked: Mapping[str, Any]) -> bool:
    return all(getattr(alert, name) == value for name, value in named(asked, "module", "severity").items())


def hush(moment: Moment, silences: Sequence[Silence], windows: Sequence[Maintenance]) -> Hush:
    """Return what keeps alerts quiet at the moment, by rows that were read for the list."""
    return Hush(
        [row for row in silences if queries.is_in_force(row, moment.at)],
        [row for row in windows if queries.is_in_force(row, moment.at)],
        failing_modules(moment.alerts),
    )


def shown(lines: Sequence[OpenAlert]) -> list[Shown]:
    """Return alerts with the changes of the half hour before each began; one query."""
    every = [one.alert.began_at for line in lines for one in line.family]
    return told(lines, changes_before_each(every))


def why_muted(line: OpenAlert) -> str:
    """Return why an alert is kept quiet, with the title of the module that explains it for its name."""
    cause = line.alert.caused_by
    return f"caused by {title_of(cause)}" if line.muted == f"caused by {cause}" else line.muted


def told(
    lines: Sequence[OpenAlert], changes: Mapping[datetime, Sequence[Change]], above: Sequence[Change] = ()
) -> list[Shown]:
    """Return alerts with their changes; what stands above with the cause is not said again below it."""
    found = []
    for line in lines:
        own = changes[line.alert.began_at]
        children = told(line.children, changes, [*above, *own])
        fresh = [change for change in own if change not in above]
        found.append(Shown(line.alert, why_muted(line), fresh, children))
    return found
