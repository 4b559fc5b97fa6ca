"""The life of one alert: what a finding makes of it. Pure; stores nothing and asks for no time."""

from datetime import datetime
from typing import Final

from systemstatus.findings import Finding, Level
from systemstatus.models import Alert, AlertState, Severity

CRITICAL_CYCLES: Final = 2
WARNING_CYCLES: Final = 5
RECOVERY_CYCLES: Final = 2
BLANK_CYCLES: Final = 2
BLANK_CRITICAL_CYCLES: Final = 5

BREACHES: Final = {Level.INFO, Level.WARNING, Level.CRITICAL}
BLANKS: Final = {Level.NO_DATA: AlertState.NO_DATA, Level.ERROR: AlertState.ERROR}
RANK: Final = {"": 0, Severity.INFO: 1, Severity.WARNING: 2, Severity.CRITICAL: 3}


def live(alert: Alert, finding: Finding, now: datetime) -> None:
    """Change an alert by what was found in one cycle: its counts, its severity and its state."""
    level = level_of(finding)
    count(alert, level)
    if level in BREACHES:
        breach(alert, finding, Severity(level.value), now)
    elif level in BLANKS:
        blank(alert, finding, level, now)
    else:
        clear(alert, finding, now)


def level_of(finding: Finding) -> Level:
    """Return a finding's level; what is not core is a warning at most."""
    return Level.WARNING if finding.level == Level.CRITICAL and not finding.core else finding.level


def count(alert: Alert, level: Level) -> None:
    """Count the cycles in a row."""
    lower = level in BREACHES and RANK[Severity(level.value)] < RANK[alert.severity]
    alert.breaches = alert.breaches + 1 if level in BREACHES else 0
    alert.criticals = alert.criticals + 1 if level == Level.CRITICAL else 0
    alert.clears = alert.clears + 1 if level == Level.OK else 0
    alert.blanks = alert.blanks + 1 if level in BLANKS else 0
    alert.eases = alert.eases + 1 if lower else 0


def breach(alert: Alert, finding: Finding, severity: Severity, now: datetime) -> None:
    """Fire once the breach lasted; a fired alert rises with critical cycles and falls with milder ones."""
    lasted = lasting(alert, finding, severity)
    if alert.fired_at is None:
        alert.severity = lasted or severity
        alert.state = AlertState.FIRING if lasted else AlertState.PENDING
        alert.fired_at = now if lasted else None
        return
    alert.state = AlertState.FIRING
    if lasted and RANK[lasted] > RANK[alert.severity]:
        alert.severity = lasted
    elif alert.eases >= recovery_of(finding):
        alert.severity = severity


def lasting(alert: Alert, finding: Finding, severity: Severity) -> Severity | None:
    """Return the severity whose cycles are full; None while none is."""
    if alert.criticals >= (finding.breach_cycles or CRITICAL_CYCLES):
        return Severity.CRITICAL
    if severity == Severity.INFO:
        return Severity.INFO
    return Severity.WARNING if alert.breaches >= (finding.breach_cycles or WARNING_CYCLES) else None


def blank(alert: Alert, finding: Finding, level: Level, now: datetime) -> None:
    """Without data nothing is green: after two cycles it is told, after five it is critical where core."""
    if alert.blanks < BLANK_CYCLES:
        return
    alert.state = BLANKS[level]
    alert.fired_at = alert.fired_at or now
    is_long = alert.blanks >= BLANK_CRITICAL_CYCLES and finding.core
    wanted = Severity.CRITICAL if is_long else Severity.WARNING
    if RANK[wanted] > RANK[alert.severity]:
        alert.severity = wanted


def clear(alert: Alert, finding: Finding, now: datetime) -> None:
    """End what never fired at once, and what did once it was well for long enough."""
    if alert.fired_at is None:
        alert.state, alert.closed_at = AlertState.OK, now
    elif alert.clears >= recovery_of(finding):
        alert.state, alert.closed_at = AlertState.RESOLVED, now
    else:
        alert.state = AlertState.RECOVERING


def recovery_of(finding: Finding) -> int:
    return finding.recovery_cycles or RECOVERY_CYCLES
