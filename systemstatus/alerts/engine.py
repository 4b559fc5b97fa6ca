"""The cycle: findings move alerts, and what is to be told is written in the same transaction."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from systemstatus.alerts import quiet
from systemstatus.alerts.bounds import bounded
from systemstatus.alerts.life import RANK, live
from systemstatus.findings import Finding, Level, sources
from systemstatus.models import Alert, AlertState, AlertTransition, Severity, StatusLease
from systemstatus.notify import outbox

logger = logging.getLogger(__name__)

# A minute that lies this far back is no second run of an old minute: the clock was set back.
CLOCK_SET_BACK: Final = timedelta(minutes=5)
OWN: Final = "evaluator"
FAILED: Final = "alerts.source_failed"


def evaluate_registered(now: datetime) -> list[AlertTransition]:
    """Ask every registered source and move the alerts; a source that raises becomes an ERROR finding.

    Done once a minute, whoever calls; a second call in the same minute returns nothing.
    """
    told: dict[str, dict[str, Finding]] = {}
    keys, failed = open_keys(), []
    for name, function in list(sources.items()):
        try:
            told[name] = bounded(function(now), keys)
        except Exception as error:  # one source that fails must not silence the others
            logger.exception("The source of findings %s failed", name)
            failed.append(failure(name, error))
    return evaluate_told(told | {OWN: bounded(failed, keys)}, now=now, once="alerts")


def failure(name: str, error: Exception) -> Finding:
    """Return the finding for a source that could not say anything."""
    message = f"The rules of {name} failed: {type(error).__name__}: {error}"
    return Finding(FAILED, "collector", name, Level.ERROR, None, message)


def evaluate(findings: Iterable[Finding], *, now: datetime, source: str = "given") -> list[AlertTransition]:
    """Move the alerts of one source by its findings; returns the steps taken.

    One transaction with the messages to be sent; once a minute, a second call returns nothing. What the
    source found earlier and does not mention now is well again.
    """
    return evaluate_told({source: bounded(findings, open_keys())}, now=now, once=f"alerts.{source}"[:40])


def evaluate_only(findings: Iterable[Finding], *, now: datetime, source: str) -> list[AlertTransition]:
    """Move the alerts that these findings are about, and leave the source's others as they are.

    For who stands in for a source, as the watchdog does; at any time, also several times a minute.
    """
    told = {source: bounded(findings, open_keys())}
    with transaction.atomic():
        return cycle(told, now, only=True)


def evaluate_told(
    told: Mapping[str, Mapping[str, Finding]], *, now: datetime, once: str
) -> list[AlertTransition]:
    """Move the alerts of several sources; those of sources that are not there stay as they are."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    with transaction.atomic():
        return cycle(told, now) if take(once, minute) else []


def open_keys() -> set[str]:
    return set(Alert.objects.filter(closed_at=None).values_list("key", flat=True))


def take(name: str, minute: datetime) -> bool:
    """Take a minute, held until the transaction ends; False where it is done already."""
    StatusLease.objects.get_or_create(name=name)
    held = StatusLease.objects.select_for_update().get(name=name)
    if held.minute and timedelta() <= held.minute - minute < CLOCK_SET_BACK:
        return False
    if held.minute and held.minute > minute:
        logger.warning("The clock was set back from %s to %s", held.minute, minute)
    now = datetime.now(UTC)
    StatusLease.objects.filter(name=name).update(minute=minute, done_at=now, updated_at=now)
    return True


def cycle(
    told: Mapping[str, Mapping[str, Finding]], now: datetime, *, only: bool = False
) -> list[AlertTransition]:
    """Move every open alert and open new ones, within the caller's transaction; only: those told of."""
    alerts = {alert.key: alert for alert in Alert.objects.select_for_update().filter(closed_at=None)}
    steps: list[AlertTransition] = []
    for source, given in told.items():
        left = {key: gone(alert) for key, alert in alerts.items() if alert.source == source and not only}
        for key, finding in (left | dict(given)).items():
            alert = alerts.get(key)
            if alert is None and finding.level == Level.OK:
                continue
            alert = alerts[key] = alert or opened(key, source, finding, now)
            steps += moved(alert, finding, now)
    rows = list(alerts.values())
    steps += outbox.write(rows, steps, quiet.in_force(now, rows), now)
    AlertTransition.objects.bulk_create(steps)
    save(rows)
    return steps


def gone(alert: Alert) -> Finding:
    """Return the finding for what its source no longer mentions: it is well."""
    told = "It is no longer found."
    return Finding(alert.rule, alert.module, alert.target, Level.OK, None, told, core=alert.core)


def opened(key: str, source: str, finding: Finding, now: datetime) -> Alert:
    """Return a new alert in its first cycle, stored so that its steps can name it."""
    severity = Severity.WARNING if finding.level in {Level.NO_DATA, Level.ERROR} else finding.level.value
    return Alert.objects.create(
        key=key,
        source=source,
        rule=finding.rule,
        module=finding.module,
        target=finding.target,
        state=AlertState.PENDING,
        severity=severity if finding.core or severity != "critical" else Severity.WARNING,
        began_at=finding.since or now,
        evaluated_at=now,
    )


def moved(alert: Alert, finding: Finding, now: datetime) -> list[AlertTransition]:
    """Let an alert live one cycle; returns the step where its state or severity changed."""
    is_new = not (alert.breaches or alert.blanks or alert.clears)
    before, severity = AlertState.OK.value if is_new else alert.state, alert.severity
    live(alert, finding, now)
    alert.evaluated_at = now
    alert.value = None if finding.value is None else float(finding.value)
    alert.unit, alert.core = finding.unit, finding.core
    alert.caused_by = finding.caused_by
    if finding.level != Level.OK or not alert.message:
        alert.message = finding.message
    if RANK[alert.severity] > RANK[severity] and not is_new:
        alert.acknowledged_by, alert.acknowledged_at, alert.acknowledgement = "", None, ""
    if (alert.state, alert.severity) == (before, severity):
        return []
    return [step(alert, before, now)]


def step(alert: Alert, before: str, now: datetime, *, actor: str = "") -> AlertTransition:
    """Return a step of an alert's history."""
    return AlertTransition(
        alert=alert,
        occurred_at=now,
        from_state=before,
        to_state=alert.state,
        severity=alert.severity,
        value=alert.value,
        message=alert.message,
        actor=actor,
    )


CHANGED: Final = (
    "state", "severity", "value", "unit", "message", "core", "caused_by", "breaches", "criticals", "clears",
    "blanks", "eases", "fired_at", "closed_at", "evaluated_at", "notified_severity", "notified_at",
    "acknowledged_by", "acknowledged_at", "acknowledgement", "updated_at",
)  # fmt: skip


def save(alerts: Iterable[Alert]) -> None:
    """Store what became of the alerts.

    By INSERT … ON CONFLICT, for an UPDATE with a CASE a row took 15 s for 3,000 alerts.
    """
    now = datetime.now(UTC)
    rows: Sequence[Alert] = list(alerts)
    for alert in rows:
        alert.updated_at = now
    Alert.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=CHANGED, batch_size=500
    )
