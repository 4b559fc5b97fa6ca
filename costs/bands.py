"""Tiers as bands of a chart and columns of its table: a fixed order and mark each, strangers gathered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings

ZERO = Decimal(0)
OTHER = "other"
MARKS = {"1": "●", "2": "■", "3": "◆", OTHER: "○"}
NAMED_STRANGERS = 1


@dataclass(frozen=True)
class Band:
    """One tier's cost per day; style says which colour, pattern and mark it has everywhere."""

    label: str
    style: str
    values: list[Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.values, ZERO)

    @property
    def mark(self) -> str:
        return MARKS[self.style]


def styled_tiers() -> dict[str, str]:
    """Return the configured tiers that have a style of their own, the one shed last first."""
    return dict(zip(reversed(settings.TIERS), ("1", "2", "3"), strict=False))


def style_of(tier: str) -> str:
    return styled_tiers().get(tier, OTHER)


def label_of(tier: str) -> str:
    """Return a configured tier capitalised, any other as it was recorded."""
    if not tier:
        return "No tier"
    return tier[:1].upper() + tier[1:] if tier in settings.TIERS else tier


def bands(costs: Mapping[str, Mapping[date, Decimal]], dates: Sequence[date]) -> list[Band]:
    """Return the bands bottom to top: configured tiers, then one stranger by name or several as 'Other'."""
    known = [tier for tier in styled_tiers() if any(costs.get(tier, {}).values())]
    strangers = sorted(tier for tier in costs if tier not in styled_tiers() and any(costs[tier].values()))
    found = [Band(label_of(tier), style_of(tier), column([costs[tier]], dates)) for tier in known]
    if strangers:
        label = label_of(strangers[0]) if len(strangers) <= NAMED_STRANGERS else f"Other ({len(strangers)})"
        found.append(Band(label, OTHER, column([costs[tier] for tier in strangers], dates)))
    return found


def column(rows: Sequence[Mapping[date, Decimal]], dates: Sequence[date]) -> list[Decimal]:
    return [sum((row.get(day, ZERO) for row in rows), ZERO) for day in dates]
