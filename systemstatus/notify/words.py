"""A message's content: the same facts for a program, a subject line and a plain text."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from systemstatus.alerts.life import RANK
from systemstatus.models import Alert, AlertState, AlertTransition, Notification

MOST_LISTED: Final = 50
NAMES: Final = {"critical": "CRITICAL", "warning": "Warning", "info": "Info", "resolved": "Resolved"}


def compose(row: Notification, now: datetime) -> dict[str, Any]:
    """Return the body of a message about alerts, from the steps that name its notice."""
    steps = AlertTransition.objects.filter(notice=row.notice).select_related("alert").order_by("id")
    latest = {step.alert_id: step for step in steps[:2000]}
    told = sorted(latest.values(), key=lambda step: (-RANK[step.severity], step.pk))
    return body(row.kind, row.group, told, now)


def body(kind: str, group: str, steps: Sequence[AlertTransition], now: datetime) -> dict[str, Any]:
    """Return what programs read; type is alert.firing, alert.resolved or alert.reminder."""
    is_over = all(step.to_state == AlertState.RESOLVED for step in steps)
    worst = steps[0].severity if steps else "info"
    what = "resolved" if is_over else "reminder" if kind == Notification.Kind.REPEAT else "firing"
    return {
        "type": f"alert.{what}",
        "timestamp": iso(now),
        "data": {
            "module": group,
            "severity": worst,
            "title": title(what, worst, steps),
            "alerts": [facts(step) for step in steps[:MOST_LISTED]],
            "more": max(0, len(steps) - MOST_LISTED),
            "url": f"{settings.HEALTHPILOT_URL}/admin/status/alerts" if settings.HEALTHPILOT_URL else "",
        },
    }


def title(what: str, worst: str, steps: Sequence[AlertTransition]) -> str:
    """Return one line that says the most important thing."""
    head = NAMES["resolved"] if what == "resolved" else NAMES.get(worst, worst)
    if not steps:
        return head
    first = steps[0]
    target = f" ({first.alert.target})" if first.alert.target else ""
    others = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
    said = f"{first.alert.rule}{target}" if what == "resolved" else f"{first.message}{target}"
    return f"{'Still ' if what == 'reminder' else ''}{head}: {said}{others}"


def facts(step: AlertTransition) -> dict[str, Any]:
    """Return one alert as a program reads it."""
    alert: Alert = step.alert
    return {
        "id": alert.pk,
        "rule": alert.rule,
        "module": alert.module,
        "target": alert.target,
        "state": step.to_state,
        "severity": step.severity,
        "value": step.value,
        "unit": alert.unit,
        "message": step.message,
        "began_at": iso(alert.began_at),
        "at": iso(step.occurred_at),
    }


def subject(content: Mapping[str, Any]) -> str:
    """Return a message's subject line."""
    return f"[HealthPilot] {content['data']['title']}"


def text(content: Mapping[str, Any]) -> str:
    """Return a message as plain text."""
    data = content["data"]
    if "text" in data:
        return str(data["text"])
    lines = [str(data["title"]), ""]
    for alert in data.get("alerts", []):
        target = f" ({alert['target']})" if alert["target"] else ""
        lines.append(f"- {alert['severity']} {alert['state']}: {alert['rule']}{target}: {alert['message']}")
        lines.append(f"  since {alert['began_at']}")
    if data.get("more"):
        lines.append(f"- and {data['more']} more")
    return "\n".join([*lines, "", data["url"]] if data.get("url") else lines).strip() + "\n"


def iso(moment: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
