"""Keeps one cycle's findings within bounds, whatever a source tells: a million are a number, not a list."""

import hashlib
import heapq
import itertools
import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from systemstatus.findings import Finding, Level

MOST_TARGETS: Final = 100
MOST_RULES: Final = 200
THE_REST: Final = "(others)"
UNLISTED: Final = "alerts.unlisted"
WORST: Final = {
    Level.CRITICAL: 5,
    Level.ERROR: 4,
    Level.NO_DATA: 3,
    Level.WARNING: 2,
    Level.INFO: 1,
    Level.OK: 0,
}


def key_of(rule: str, module: str, target: str) -> str:
    """Return what one alert is about, as a SHA-256 in hex; the measured value is no part of it."""
    return hashlib.sha256(f"{rule}\n{module}\n{target}".encode("utf-8", "replace")).hexdigest()


@dataclass
class Told:
    """What one rule of one module told: its worst targets, and how many more there were."""

    worst: list[tuple[int, int, str, Finding]] = field(default_factory=list)
    more: int = 0


def bounded(findings: Iterable[Finding], open_keys: Collection[str]) -> dict[str, Finding]:
    """Return the findings that matter by key: those of open alerts, and of each rule the worst hundred.

    What is well and was never an alert is left out; what is beyond the bounds becomes one finding a rule, and
    one for all rules and modules beyond the first two hundred.
    """
    kept: dict[str, Finding] = {}
    listed: Counter[tuple[str, str]] = Counter()
    rules: dict[tuple[str, str], Told] = {}
    places: set[tuple[str, str]] = set()
    beyond = Told()
    for number, given in enumerate(findings):
        finding = clean(given)
        key, place = key_of(finding.rule, finding.module, finding.target), (finding.rule, finding.module)
        if key in open_keys:
            kept[key] = finding
            listed[place] += 1
            places.add(place)
        elif finding.level != Level.OK:
            is_listed = place in places or len(places) < MOST_RULES
            if is_listed:
                places.add(place)
            add(rules.setdefault(place, Told()) if is_listed else beyond, number, key, finding)
    for place, told in rules.items():
        kept |= chosen(told, MOST_TARGETS - listed[place])
    return kept | unlisted(beyond)


def chosen(told: Told, room: int) -> dict[str, Finding]:
    """Return the worst of a rule's new findings that there is room for, and one for all the others."""
    worst = sorted(told.worst, key=lambda entry: entry[:2], reverse=True)
    kept = {key: finding for _, _, key, finding in worst[: max(room, 0)]}
    more = told.more + len(worst) - len(kept)
    if more:
        message = f"{more:,} more targets are in breach than are listed."
        rest = replace(worst[-1][3], target=THE_REST, value=more, unit="targets", message=message)
        kept[key_of(rest.rule, rest.module, rest.target)] = rest
    return kept


def unlisted(beyond: Told) -> dict[str, Finding]:
    """Return one finding, as bad as the worst, for those of rules and modules that nothing lists."""
    if not beyond.worst:
        return {}
    count = beyond.more + len(beyond.worst)
    message = f"{count:,} findings of rules or modules beyond {MOST_RULES} are in breach and not listed."
    worst = max(beyond.worst, key=lambda entry: entry[:2])[3]
    rest = Finding(UNLISTED, "collector", THE_REST, worst.level, count, message, unit="findings")
    return {key_of(rest.rule, rest.module, rest.target): rest}


def add(told: Told, number: int, key: str, finding: Finding) -> None:
    """Keep a finding if it is among the worst of its rule; of equals the first."""
    entry = (WORST[finding.level], -number, key, finding)
    if len(told.worst) < MOST_TARGETS:
        heapq.heappush(told.worst, entry)
        return
    heapq.heappushpop(told.worst, entry)
    told.more += 1


def clean(finding: Finding) -> Finding:
    """Return a finding whose texts fit their columns and whose value is a number or none."""
    return replace(
        finding,
        rule=text(finding.rule, 80),
        module=text(finding.module, 40),
        target=text(finding.target, 200),
        message=text(finding.message, 500),
        unit=text(finding.unit, 20),
        caused_by=text(finding.caused_by, 40),
        value=number(finding.value),
    )


def text(given: str, most: int) -> str:
    """Return a text in one line, without what the database or a terminal would stumble over."""
    shown = "".join(letter if letter.isprintable() else " " for letter in itertools.islice(given, most))
    return shown.encode("utf-8", "replace").decode()


def number(value: float | Decimal | None) -> float | None:
    """Return a finite number, or none."""
    if value is None:
        return None
    try:
        plain = float(value)
    except (OverflowError, ValueError):
        return None
    return plain if math.isfinite(plain) else None
