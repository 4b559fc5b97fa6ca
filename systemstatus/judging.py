"""Judges snapshots over the windows of the thresholds: what each budget and each check says now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from systemstatus import registry
from systemstatus.collector import LEASE
from systemstatus.findings import Finding, Level
from systemstatus.models import Alert, Severity, Snapshot, StatusLease
from systemstatus.registry import CheckState, Module
from systemstatus.thresholds import THRESHOLDS, Threshold
from systemstatus.windows import figures, within

LOOK_BACK: Final = timedelta(minutes=60)
FRESH_FOR: Final = timedelta(minutes=2)
DOWN_AFTER, UP_AFTER = 3, 2
SILENT: Final = {CheckState.FAILED, CheckState.CRASHED, CheckState.SKIPPED, CheckState.UNKNOWN}
SOURCE: Final = "snapshots"
COLLECTOR: Final = "collector"
# Rules that the app of their figure tells itself, with words of its own.
TOLD_ELSEWHERE: Final = frozenset({"cost.budget", "cost.rollup_age"})
BY_ID: Final = {row.id: row for row in THRESHOLDS}

Open = Mapping[tuple[str, str, str], str]


def judge(now: datetime) -> Iterator[Finding]:
    """Yield a finding for the collector's age, and for each budget and check of every watched module.

    An open alert that nothing is known of now is without data, not well.
    """
    newest = StatusLease.objects.filter(name=LEASE).values_list("minute", flat=True).first()
    if newest is None:  # before the first pass of all there is nothing to judge
        return
    by_module = rows_by_module(now)
    opened = open_alerts()
    age = collector_age(now, newest)
    yield age
    modules = registry.modules()
    found = [
        one for module in modules for one in of_module(module, by_module.get(module.name, []), now, opened)
    ]
    told = with_causes(found, modules)
    yield from told if age.level == Level.OK else without_collector(told)


def of_module(module: Module, rows: Sequence[Snapshot], now: datetime, opened: Open) -> Iterator[Finding]:
    """Yield the findings of one module; rows: its snapshots, newest first."""
    if rows and now - rows[0].captured_at < FRESH_FOR:
        found = [*budgets_of(module, rows, opened), *checks_of(module, rows, opened)]
        yield from found
        yield from blind(module, rows[0], found, opened)
    else:
        said = "nothing was collected of late."
        told = f"{module.title}: {said}"
        yield Finding("module.unknown", module.name, "", Level.NO_DATA, None, told, core=module.core)
        yield from (without_data(key, module, said) for key in opened if key[1] == module.name)


def without_collector(found: Iterable[Finding]) -> Iterator[Finding]:
    """Put what nothing is known of down to the collector, which stands still."""
    for finding in found:
        is_blind = finding.level == Level.NO_DATA and finding.module != COLLECTOR
        yield replace(finding, caused_by=COLLECTOR) if is_blind else finding


def with_causes(found: Sequence[Finding], modules: Sequence[Module]) -> Iterator[Finding]:
    """Yield findings with the failing module that explains theirs, the first on the way down."""
    failing = {finding.module for finding in found if finding.level == Level.CRITICAL}
    by_name = {module.name: module for module in modules}
    for finding in found:
        cause = "" if finding.level == Level.OK else cause_of(finding.module, failing, by_name)
        yield replace(finding, caused_by=cause) if cause else finding


def cause_of(name: str, failing: Collection[str], by_name: Mapping[str, Module]) -> str:
    """Return the deepest failing module that a module stands on; '' where none fails."""
    seen, waiting, cause = {name}, [name], ""
    while waiting:
        module = by_name.get(waiting.pop(0))
        for below in module.depends_on if module else ():
            if below not in seen:
                seen.add(below)
                waiting.append(below)
                cause = below if below in failing else cause
    return cause


def rows_by_module(now: datetime) -> dict[str, list[Snapshot]]:
    """Return the snapshots that any window may reach, newest first."""
    found: dict[str, list[Snapshot]] = {}
    rows = Snapshot.objects.filter(captured_at__gt=now - LOOK_BACK, captured_at__lte=now)
    for row in rows.defer("detail", "worst").order_by("-captured_at"):
        found.setdefault(row.module, []).append(row)
    return found


def open_alerts() -> Open:
    """Return the severity of each fired alert that budgets and checks opened, by rule, module and target."""
    rules = {"check.down", *BY_ID} - {"collector.age"}
    fired = Alert.objects.filter(closed_at=None, fired_at__isnull=False, source=SOURCE, rule__in=rules)
    return {(alert.rule, alert.module, alert.target): alert.severity for alert in fired}


def blind(module: Module, newest: Snapshot, found: Sequence[Finding], opened: Open) -> Iterator[Finding]:
    """Yield no data for open alerts that are not found again while a check of their module is silent."""
    silent = next((check["name"] for check in newest.checks if check["state"] in SILENT), "")
    if not silent:
        return
    told = {(finding.rule, finding.module, finding.target) for finding in found}
    for key in opened:
        if key[1] == module.name and key not in told:
            yield without_data(key, module, f"the check {silent} of {module.title} gives no answer.")


def without_data(key: tuple[str, str, str], module: Module, said: str) -> Finding:
    rule, name, target = key
    what = BY_ID[rule].metric if rule in BY_ID else module.title
    told = f"{what[:1].upper()}{what[1:]}{f' of {target}' if target else ''} is not known: {said}"
    return Finding(rule, name, target, Level.NO_DATA, None, told, core=module.core)


def collector_age(now: datetime, newest: datetime) -> Finding:
    """Return how old the newest snapshot is, in seconds; an age is its own window, so it counts at once."""
    age_s = (now - newest).total_seconds()
    level = level_of(BY_ID["collector.age"], "", age_s, "")
    said = f"The newest snapshot is {age_s:.0f} s old."
    return Finding("collector.age", COLLECTOR, "", level, age_s, said, "s", breach_cycles=1)


def budgets_of(module: Module, rows: Sequence[Snapshot], opened: Open) -> Iterator[Finding]:
    """Yield a finding for each budget of a module that its snapshots, newest first, have a figure for."""
    for metric in module.metrics:
        budget = BY_ID.get(metric.budget)
        if budget is None or budget.id in TOLD_ELSEWHERE:
            continue
        for target, value in figures(budget, within(budget, rows)).items():
            severity = opened.get((budget.id, module.name, target), "")
            level = level_of(budget, target, value, severity, module=module.name)
            said = f"{metric.title}{f' of {target}' if target else ''} is {value:g} {budget.unit}."
            yield Finding(
                budget.id, module.name, target, level, value, said, budget.unit, module.core,
                breach_cycles=budget.failed_after, recovery_cycles=budget.well_after,
            )  # fmt: skip


def level_of(budget: Threshold, target: str, value: float, severity: str, *, module: str = "") -> Level:
    """Return the level of a figure; while an alert is open, its own limit on the way back holds."""
    warning, critical = budget.limits(target, module)
    if severity and budget.warning_clear is not None:
        warning = budget.warning_clear
    if severity == Severity.CRITICAL and budget.critical_clear is not None:
        critical = budget.critical_clear
    if is_beyond(budget, value, critical):
        return Level.CRITICAL
    return Level.WARNING if is_beyond(budget, value, warning) else Level.OK


def is_beyond(budget: Threshold, value: float, limit: float) -> bool:
    return value < limit if budget.below else value >= limit


def checks_of(module: Module, rows: Sequence[Snapshot], opened: Open) -> Iterator[Finding]:
    """Yield a finding for each check of a module's newest row: down after three failures, up after two."""
    for check in rows[0].checks:
        level = level_of_check(check["state"])
        if level == Level.NO_DATA and ("check.down", module.name, check["name"]) not in opened:
            continue
        said = f"{module.title}, {check['name']}: {check['error'] or check['state']}"
        cycles, pair = DOWN_AFTER, failures_of(module)
        if pair and level == Level.CRITICAL:
            times, cycles = failed_in_a_row(rows, check["name"]), 1
            level = Level.CRITICAL if times >= pair[1] else Level.WARNING if times >= pair[0] else Level.OK
        yield Finding(
            "check.down", module.name, check["name"], level, None, said, core=module.core,
            breach_cycles=cycles, recovery_cycles=UP_AFTER,
        )  # fmt: skip


def failures_of(module: Module) -> tuple[int, int] | None:
    """Return after how many failures in a row a module's budgets say warning and critical, where one does."""
    budgets = [BY_ID[metric.budget] for metric in module.metrics if metric.budget in BY_ID]
    return next((budget.failures for budget in budgets if budget.failures), None)


def failed_in_a_row(rows: Sequence[Snapshot], name: str) -> int:
    """Return how often a check failed in a row up to now.

    An answer that was carried over counts once, and a minute in which nobody asked not at all.
    """
    times: set[str] = set()
    for row in rows:
        check = next((one for one in row.checks if one["name"] == name), None)
        if check and check["state"] == CheckState.SKIPPED:
            continue
        if check is None or level_of_check(check["state"]) != Level.CRITICAL:
            break
        times.add(check["at"])
    return len(times)


def level_of_check(state: str) -> Level:
    """Return what a check's end says of whether it is down; one that was not run says nothing."""
    if state in {CheckState.FAILED, CheckState.CRASHED}:
        return Level.CRITICAL
    return Level.NO_DATA if state in {CheckState.SKIPPED, CheckState.UNKNOWN} else Level.OK
