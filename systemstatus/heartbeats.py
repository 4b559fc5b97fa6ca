"""The last day of every module at a glance: a mark each twenty minutes, and its figures."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.cache import cache

from healthpilot.web import strips
from systemstatus import queries, windows
from systemstatus.models import Alert, Severity
from systemstatus.moment import Moment
from systemstatus.thresholds import BY_ID

DAY: Final = timedelta(hours=24)
SLOT_MIN: Final = 20
KEPT_S: Final = 180
STATES: Final = {
    "critical": strips.ERROR,
    "unknown": strips.UNKNOWN,
    "skipped": strips.UNKNOWN,
    "warning": strips.WARNING,
    "ok": strips.OK,
    "disabled": strips.NO_DATA,
}
RUN_STATES: Final = {
    "ok": strips.OK,
    "warning": strips.WARNING,
    "failed": strips.ERROR,
    "crashed": strips.ERROR,
    "disabled": strips.NO_DATA,
}
RANK: Final = (strips.NO_DATA, strips.OK, strips.UNKNOWN, strips.WARNING, strips.ERROR)

Series = Mapping[tuple[str, str], Sequence[float | None]]


def slot_minutes(moment: Moment) -> int:
    return max(SLOT_MIN, moment.grain.minutes)


def slots_of(moment: Moment) -> list[datetime]:
    """Return the beginning of each slot of the day up to a moment, the oldest first; the last is not over."""
    step = timedelta(minutes=slot_minutes(moment))
    end = moment.at.replace(second=0, microsecond=0)
    end -= timedelta(minutes=(end.hour * 60 + end.minute) % slot_minutes(moment))
    return [end - step * back for back in range(round(DAY / step) - 1, -1, -1)]


def stamp(at: datetime | None) -> int:
    return round(at.timestamp()) if at else 0


def strips_of(moment: Moment) -> dict[str, list[str]]:
    """Return the day of every module, a state for each slot: its checks' and its alerts' worst.

    Read once for all pages of a minute, and kept for them.
    """
    slots = slots_of(moment)
    minutes = slot_minutes(moment)
    key = f"status.strips:{stamp(moment.newest)}:{stamp(slots[0])}"
    found: dict[tuple[str, int], str] | None = cache.get(key)
    if found is None:
        found = queries.worst_states(moment.grain, slots[0], moment.at, minutes)
        cache.set(key, found, KEPT_S)
    names = {name for name, _ in found} | {alert.module for alert in moment.recent}
    marks = {
        name: [STATES.get(found.get((name, at), ""), strips.NO_DATA) for at in range(len(slots))]
        for name in names
    }
    for alert in moment.recent:
        overlay(marks[alert.module], alert, slots, moment.at)
    return marks


def overlay(marks: list[str], alert: Alert, slots: Sequence[datetime], at: datetime) -> None:
    """Put an alert into the slots in which it fired, where it is worse than what stands there."""
    state = {Severity.CRITICAL: strips.ERROR, Severity.WARNING: strips.WARNING}.get(Severity(alert.severity))
    if state is None or alert.fired_at is None:
        return
    until = alert.closed_at or at
    for place, start in enumerate(slots):
        end = slots[place + 1] if place + 1 < len(slots) else at
        if alert.fired_at <= end and until >= start and RANK.index(state) > RANK.index(marks[place]):
            marks[place] = state


def trends(moment: Moment) -> Series:
    """Return every figure of the day by module and metric, one sample a slot and the newest; None is a gap.

    Samples lie at the beginning of their slots, so that a page reads some thousand rows and not every minute.
    """
    slots = slots_of(moment)
    key = f"status.trends:{moment.grain.minutes}:{stamp(slots[-1])}"
    kept: dict[tuple[str, str], list[float | None]] | None = cache.get(key)
    if kept is None:
        kept = sampled(queries.samples(moment.grain, slots), slots)
        cache.set(key, kept, KEPT_S)
    newest = {
        (name, metric): number_of(metric, value)
        for name, row in moment.rows.items()
        for metric, value in derived(row.values).items()
    }
    return {one: [*kept.get(one, [None] * len(slots)), newest.get(one)] for one in {*kept, *newest}}


def sampled(
    rows: Iterable[tuple[str, datetime, Mapping[str, Any]]], slots: Sequence[datetime]
) -> dict[tuple[str, str], list[float | None]]:
    places = {at: place for place, at in enumerate(slots)}
    found: dict[tuple[str, str], list[float | None]] = {}
    for name, at, values in rows:
        for metric, value in derived(values).items():
            found.setdefault((name, metric), [None] * len(slots))[places[at]] = number_of(metric, value)
    return found


def derived(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a minute's values with the shares that its counts make."""
    shares = {
        name: 100 * values[part] / values[whole]
        for name, (part, whole) in windows.PARTS.items()
        if name not in values and part in values and values.get(whole)
    }
    return {**values, **shares}


def number_of(metric: str, value: Any) -> float | None:
    """Return the worst of a metric's targets, or its one value."""
    if not isinstance(value, Mapping):
        return float(value)
    budget = BY_ID.get(metric)
    pick = min if budget and budget.below else max
    return pick(map(float, value.values())) if value else None


def runs_of(moment: Moment, most: int) -> dict[tuple[str, str], list[str]]:
    """Return the last snapshots of each check, a state each, the oldest first; read once a minute for all."""
    if moment.newest is None:
        return {}
    key = f"status.runs:{moment.grain.minutes}:{stamp(moment.newest)}:{most}"
    kept: dict[tuple[str, str], list[str]] | None = cache.get(key)
    if kept is None:
        kept = {}
        for name, check, back, state in queries.check_states(moment.grain, moment.newest, most):
            marks = kept.setdefault((name, check), [strips.NO_DATA] * most)
            marks[most - 1 - back] = RUN_STATES.get(state, strips.UNKNOWN)
        cache.set(key, kept, KEPT_S)
    return kept
