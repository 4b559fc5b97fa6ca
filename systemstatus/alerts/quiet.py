"""Which alerts are kept quiet: silences, maintenance, and parents that fail above them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from systemstatus.models import Alert, Maintenance, Quiet, Silence


@dataclass(frozen=True)
class Hush:
    """What is in force at one time: silences, maintenance windows, and modules with an open alert."""

    silences: Sequence[Silence]
    maintenance: Sequence[Maintenance]
    failing: frozenset[str]

    def reason(self, alert: Alert) -> str:
        """Return why an alert's notices are kept back, in words; empty where they are not."""
        for row in self.silences:
            if matches(row, alert):
                return f"silenced by {row.author} until {row.ends_at:%Y-%m-%d %H:%M} UTC: {row.reason}"
        for window in self.maintenance:
            if matches(window, alert):
                return f"maintenance until {window.ends_at:%Y-%m-%d %H:%M} UTC: {window.reason}"
        if alert.caused_by != alert.module and alert.caused_by in self.failing:
            return f"caused by {alert.caused_by}"
        return ""


def in_force(now: datetime, alerts: Iterable[Alert]) -> Hush:
    """Return what keeps alerts quiet now; alerts: the open ones, among them the parents."""
    silences = Silence.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("id")[:200]
    windows = Maintenance.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("id")[:200]
    return Hush(list(silences), list(windows), failing_modules(alerts))


def failing_modules(alerts: Iterable[Alert]) -> frozenset[str]:
    """Return the modules with an open alert that no other module explains."""
    return frozenset(alert.module for alert in alerts if alert.is_open and not alert.caused_by)


def matches(row: Quiet, alert: Alert) -> bool:
    """Say whether a row's three patterns all fit; '*' stands for any characters."""
    return (
        fnmatchcase(alert.rule, escaped(row.rule))
        and fnmatchcase(alert.module, escaped(row.module))
        and fnmatchcase(alert.target, escaped(row.target))
    )


def escaped(pattern: str) -> str:
    """Return a pattern in which only '*' is special: targets may hold brackets and question marks."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
