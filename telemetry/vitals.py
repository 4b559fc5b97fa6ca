"""How pages were for real visitors, counted by portal and metric in this process; no visit is a row.

Durations are milliseconds; the layout shift, a score, is counted in thousandths.
"""

from collections.abc import Mapping
from typing import Any, Final

from telemetry.flushing import Flusher
from telemetry.histograms import Observed

KIND: Final = "vitals"
PORTALS: Final = ("admin", "customer", "marketing")
# What one unit of a metric counts as, and the most that a page can have.
SCALES: Final[Mapping[str, tuple[float, float]]] = {
    "lcp": (1, 60_000), "inp": (1, 60_000), "cls": (1000, 60), "ttfb": (1, 60_000),
}  # fmt: skip
# Histograms by (portal, metric).
observed: Final = Observed()
flusher: Final = Flusher(KIND, observed)


def observe(portal: str, metric: str, value: float) -> None:
    """Count one value of one visit."""
    observed.observe((portal, metric), value * SCALES[metric][0])
    flusher.begin()


def read(told: Any) -> tuple[str, dict[str, float]]:
    """Return the portal and the values that a page told; raises ValueError for what no page tells."""
    if not isinstance(told, dict) or told.get("portal") not in PORTALS:
        raise ValueError("it names no portal")
    values = {name: value for name, value in told.items() if name != "portal"}
    if not values or not set(values) <= set(SCALES):
        raise ValueError(f"it tells none of {', '.join(SCALES)}, or more than those")
    for name, value in values.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= SCALES[name][1]:
            raise ValueError(f"{name} is no number from 0 to {SCALES[name][1]:g}")
    return told["portal"], {name: float(value) for name, value in values.items()}
