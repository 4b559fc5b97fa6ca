"""The rule on live budgets: each has a decision (E041), and is what the latest one set it to (E040)."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from governance.decisions import Log
from governance.documents import DECISIONS
from governance.findings import Finding
from governance.rules.entries import BUDGET

# What this app promises of itself; measured as P17 by ./run bench.
PREFLIGHT_COLD_MS, PREFLIGHT_WARM_MS = 30, 1
OWN = {"preflight.cold_ms": PREFLIGHT_COLD_MS, "preflight.warm_ms": PREFLIGHT_WARM_MS}


def live() -> dict[str, str]:
    """Return every budget in force by name, from the mappings, or functions that return one, which the
    setting GOVERNANCE_BUDGETS names by dotted path.
    """
    found: dict[str, str] = {}
    for path in settings.GOVERNANCE_BUDGETS:
        source: Any = import_string(path)
        values: Mapping[str, Any] = source() if callable(source) else source
        found |= {f"{BUDGET}{name}": str(value) for name, value in values.items()}
    return found


def check(log: Log, values: Mapping[str, str]) -> list[Finding]:
    """Return E040 for each live budget that differs from its decision, E041 for each that has none."""
    found = []
    for name, value in sorted(values.items()):
        decided = log.latest(name)
        if decided is None:
            hint = (
                f"./run manage governance decide --kind budget --task T-id --sets '{name} none -> {value}' …"
            )
            found.append(Finding("E041", DECISIONS, 1, f"{name} is {value} without a decision.", hint))
        elif decided[0] != value:
            wanted, entry = decided
            hint = (
                f"set it to {wanted}, or ./run manage governance decide --kind budget --task T-id "
                f"--sets '{name} {wanted} -> {value}' …"
            )
            message = f"{name} is {value}, but {entry.id} set it to {wanted}."
            found.append(Finding("E040", DECISIONS, entry.line, message, hint))
    return found


def three_ways(log: Log, stored: Mapping[str, str]) -> list[dict[str, str]]:
    """Return each budget as DECISIONS, the code and the database have it, for a page that reconciles them.

    Args:
        stored: what the database holds, by name without 'budget.'.
    """
    values = live()
    decided = {
        name: new for entry in log.entries for name, _, new, _ in entry.sets if name.startswith(BUDGET)
    }
    names = sorted({*values, *decided, *(f"{BUDGET}{name}" for name in stored)})
    return [
        {
            "name": name.removeprefix(BUDGET),
            "decided": decided.get(name, ""),
            "code": values.get(name, ""),
            "database": stored.get(name.removeprefix(BUDGET), ""),
        }
        for name in names
    ]
