"""Figures of System Status in words: a value with its unit, and the limits that judge it."""

from decimal import Decimal
from typing import Final

from healthpilot.web.numbers import NARROW_SPACE, compact, duration, plain, rounded
from systemstatus.thresholds import Threshold

SCALES: Final = ((1024**4, "TB"), (1024**3, "GB"), (1024**2, "MB"), (1024, "kB"))
SPANS_MS: Final = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
FULL_BELOW: Final = 10
NEARLY_ALL: Final = 95  # 98.96 % is below a limit of 99 %, and shall read so


def figure_text(value: float, unit: str) -> str:
    """Return a value with its unit, short: 99.62 %, 1.2 GB, 34 min 10 s, 212 M transactions."""
    if unit == "bytes":
        return size_text(value)
    if unit in SPANS_MS:
        return span_text(value * SPANS_MS[unit])
    if unit == "%" and NEARLY_ALL < value < 100:
        return f"{plain(rounded(Decimal(repr(float(value))), 2))}{NARROW_SPACE}%"
    figure = compact(int(value)) if abs(value) >= 1000 else short(value)
    return f"{figure}{NARROW_SPACE}{unit}" if unit else figure


def span_text(ms: float) -> str:
    """Return a time span; below ten milliseconds with its decimals."""
    if abs(ms) < FULL_BELOW:
        return f"{short(ms)}{NARROW_SPACE}ms"
    return duration(round(ms))


def size_text(value: float) -> str:
    for size, name in SCALES:
        if abs(value) >= size:
            return f"{short(value / size)}{NARROW_SPACE}{name}"
    return f"{round(value)}{NARROW_SPACE}bytes"


def short(value: float) -> str:
    """Return a number with at most two places: three digits tell enough."""
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= FULL_BELOW else 2
    return plain(rounded(Decimal(repr(float(value))), places)) or "0"


def limit_words(budget: Threshold, target: str = "", module: str = "") -> str:
    """Return from where a budget warns and is critical: 'warns at 80 %, critical at 90 %'."""
    return ", ".join(limit_pair(budget, target, module))


def limit_pair(budget: Threshold, target: str = "", module: str = "") -> tuple[str, str]:
    """Return the same as two: ('warns at 80 %', 'critical at 90 %')."""
    warning, critical = budget.limits(target, module)
    way = "below" if budget.below else "at"
    first, second = (figure_text(limit, budget.unit) for limit in (warning, critical))
    return f"warns {way} {first}", f"critical {way} {second}"
