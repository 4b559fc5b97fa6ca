"""Cycles of the alert engine in tests: findings a minute apart, a channel that only counts."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from systemstatus.alerts.engine import evaluate
from systemstatus.findings import Finding, Level
from systemstatus.models import Alert, AlertTransition

NOON = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def finding(level: str = "critical", target: str = "", **facts: Any) -> Finding:
    """Return a finding of one rule."""
    given: dict[str, Any] = {"rule": "db.connections", "module": "postgres", "value": 95, **facts}
    return Finding(target=target, level=Level(level), message=f"It is {level}.", **given)


class Clock:
    """Runs cycles a minute apart."""

    def __init__(self) -> None:
        self.now = NOON

    def cycle(self, *findings: Finding | Iterable[Finding]) -> list[AlertTransition]:
        """Let a minute pass and evaluate."""
        self.now += MINUTE
        flat: list[Finding] = []
        for one in findings:
            flat += [one] if isinstance(one, Finding) else one
        return evaluate(flat, now=self.now)

    def cycles(self, *levels: str, **facts: Any) -> list[str]:
        """Evaluate one finding a minute; returns the state after each."""
        states = []
        for level in levels:
            self.cycle(finding(level, **facts))
            states.append(newest().state)
        return states


def newest() -> Alert:
    """Return the alert that was opened last."""
    return Alert.objects.order_by("-id")[0]
