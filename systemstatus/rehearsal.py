"""What a budget would have done with other limits: the stored minutes, judged as alerts are."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from systemstatus import queries
from systemstatus.alerts.life import live
from systemstatus.findings import Finding, Level
from systemstatus.grains import MINUTES
from systemstatus.judging import is_beyond
from systemstatus.models import Alert, AlertState, Seen
from systemstatus.registry import Module
from systemstatus.thresholds import BY_ID, Number, Threshold, written
from systemstatus.windows import figures, names_of, within

REACH: Final = timedelta(hours=47)
MOST_TARGETS: Final = 20


@dataclass(frozen=True)
class Outcome:
    """What would have come of limits: how often an alert fired, and for how many minutes."""

    fired: int = 0
    minutes: int = 0
    critical_minutes: int = 0
    seen_minutes: int = 0

    @property
    def text(self) -> str:
        if not self.seen_minutes:
            return "No minute is stored that it could be judged by."
        if not self.fired:
            return "It would not have fired."
        times = "once" if self.fired == 1 else f"{self.fired} times"
        critical = f", {self.critical_minutes} min of it critical" if self.critical_minutes else ""
        return f"It would have fired {times}, {self.minutes} min{critical}."


@dataclass(frozen=True)
class Rehearsal:
    """A budget with other limits beside what it has; problem: why it cannot be rehearsed, in a sentence."""

    budget: Threshold
    warning: Number
    critical: Number
    now: Outcome = Outcome()
    then: Outcome = Outcome()
    problem: str = ""

    @property
    def is_changed(self) -> bool:
        return (self.warning, self.critical) != (self.budget.warning, self.budget.critical)

    @property
    def command(self) -> str:
        """The command that proposes the change; it is not run from a page."""
        row = self.budget
        sets = [
            f"--sets {shlex.quote(f'budget.{row.id}.{name} {written(old)} -> {written(new)}')}"
            for name, old, new in (
                ("warning", row.warning, self.warning),
                ("critical", row.critical, self.critical),
            )
            if old != new
        ]
        said = f"Over the stored two days: {self.then.text} With today's limits: {self.now.text}"
        parts = [
            "./run manage governance decide --kind budget --task 'ID OF THE TASK'",
            f"--title {shlex.quote(f'Other limits for {row.id}')}",
            *sets,
            f"--context {shlex.quote(said)}",
            "--decision 'WHAT AND WHY' --consequences 'WHAT FOLLOWS' --by 'YOUR NAME'",
        ]
        return " \\\n  ".join(parts)


def rehearsed(
    budget: Threshold, asked: Mapping[str, str], modules: Sequence[Module], now: datetime
) -> Rehearsal:
    """Return what the limits in a query string would have done to the stored minutes; one query.

    Args:
        asked: warning and critical, as typed; what is missing stays as it is.
        modules: those that measure the budget's metric.
    """
    try:
        warning, critical = (
            number(asked.get(name) or written(own))
            for name, own in (("warning", budget.warning), ("critical", budget.critical))
        )
    except ValueError as error:
        return Rehearsal(budget, budget.warning, budget.critical, problem=str(error))
    if is_beyond(budget, warning, critical) and warning != critical:
        way = "above" if budget.below else "below"
        problem = f"The warning has to lie {way} the critical limit."
        return Rehearsal(budget, warning, critical, problem=problem)
    rows = queries.minutes_of([module.name for module in modules], names_of(budget), now - REACH, now)
    other = replace(budget, warning=warning, critical=critical, warning_clear=None, critical_clear=None)
    core = {module.name: module.core for module in modules}
    return Rehearsal(budget, warning, critical, outcome(budget, rows, core), outcome(other, rows, core))


def number(text: str) -> Number:
    """Return a limit from its text; raises ValueError in words."""
    plain = text.strip().replace(",", "").removesuffix("%").strip()
    try:
        found = float(plain)
    except ValueError:
        raise ValueError(f"“{text[:30]}” is no number.") from None
    if not 0 <= found < 1e15:
        raise ValueError(f"“{text[:30]}” is no limit: give a number of 0 or more.")
    return int(found) if found.is_integer() else found


def outcome(budget: Threshold, rows: Sequence[Seen], core: Mapping[str, bool]) -> Outcome:
    """Return what alerts would have come of rows, the oldest first."""
    by_module: dict[str, list[Seen]] = {}
    for row in rows:
        by_module.setdefault(row.module, []).append(row)
    found = [tell(budget, seen, is_core=core[name]) for name, seen in by_module.items()]
    return Outcome(
        sum(one.fired for one in found),
        sum(one.minutes for one in found),
        sum(one.critical_minutes for one in found),
        max((one.seen_minutes for one in found), default=0),
    )


def tell(budget: Threshold, rows: Sequence[Seen], *, is_core: bool) -> Outcome:
    """Live through the minutes of one module, with an alert for each target."""
    alerts: dict[str, Alert] = {}
    fired = minutes = critical = 0
    for row, values in windows(budget, rows):
        for target in list({**values, **alerts})[:MOST_TARGETS]:
            alert = alerts.setdefault(target, fresh(row.captured_at))
            was_fired = alert.fired_at is not None
            live(alert, finding(budget, row, target, values.get(target), is_core=is_core), row.captured_at)
            fired += alert.fired_at is not None and not was_fired
            if alert.closed_at is not None:
                del alerts[target]
            elif alert.fired_at is not None:
                minutes += 1
                critical += alert.severity == "critical"
    return Outcome(fired, minutes, critical, len(rows))


def windows(budget: Threshold, rows: Sequence[Seen]) -> Iterator[tuple[Seen, dict[str, float]]]:
    """Yield each minute with the budget's figures over its window, which ends there."""
    first = 0
    for place, row in enumerate(rows):
        window = within(budget, rows[first : place + 1][::-1])
        first = place + 1 - len(window)
        yield row, figures(budget, window)


def finding(budget: Threshold, row: Seen, target: str, value: float | None, *, is_core: bool) -> Finding:
    return Finding(
        budget.id, row.module, target, level_of(budget, row.module, target, value), value, "", core=is_core,
        breach_cycles=budget.failed_after, recovery_cycles=budget.well_after,
    )  # fmt: skip


def level_of(budget: Threshold, module: str, target: str, value: float | None) -> Level:
    if value is None:
        return Level.OK
    warning, critical = (
        budget.limits(target, module) if BY_ID[budget.id] is budget else (budget.warning, budget.critical)
    )
    if is_beyond(budget, value, critical):
        return Level.CRITICAL
    return Level.WARNING if is_beyond(budget, value, warning) else Level.OK


def fresh(at: datetime) -> Alert:
    given: dict[str, Any] = dict.fromkeys(("breaches", "criticals", "clears", "blanks", "eases"), 0)
    return Alert(state=AlertState.PENDING, severity="", began_at=at, evaluated_at=at, **given)


assert MINUTES.kept > REACH
