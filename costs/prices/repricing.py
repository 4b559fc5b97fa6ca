"""Repricing: what closed days would cost by the prices in effect now, shown first, then applied."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import orjson

from costs.models import CostDay
from costs.prices import queries
from costs.prices.queries import Part
from costs.pricing import EXACT, plain
from costs.rollup import DayCost, rollup_costs_for_date
from costs.rollup.rates import current_constants
from systemstatus.audit import record_audit


class PreviewOutdated(Exception):  # noqa: N818 - reads as what happened
    """A day or a price changed after the preview; that day was left as it is."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day} changed after the preview: look at the difference again.")
        self.day = day


@dataclass(frozen=True)
class DayDifference:
    """What one closed day costs, and by how much the prices in effect now would change that, exactly."""

    on: date
    was: Decimal
    change: Decimal
    parts: list[Part] = field(default_factory=list)
    version: str = ""
    is_waiting: bool = False

    @property
    def now(self) -> Decimal:
        return EXACT.add(self.was, self.change)

    def as_json(self) -> dict[str, Any]:
        """Return the day for JSON; money as strings with every digit."""
        models = [
            {
                "model": part.model or None,
                "calls": part.calls,
                "was_usd": plain(part.was),
                "change_usd": signed(part.change),
            }
            for part in self.parts
        ]
        return {
            "date": self.on.isoformat(),
            "was_usd": plain(self.was),
            "now_usd": plain(self.now),
            "change_usd": signed(self.change),
            "models": models,
        }


def signed(amount: Decimal) -> str:
    """Write an amount with its sign, + for what becomes dearer."""
    return f"{'+' if amount > 0 else ''}{plain(amount)}"


def preview(first: date, last: date) -> list[DayDifference]:
    """Return the closed days of a span that were priced by other prices, oldest first; reads rollups only.

    A model's cost is linear in the sums that the rollup kept of it, so the difference is that of the rates,
    to the last digit. Jobs are only priced anew where a constant changed; their sums come from the partials.
    """
    parts = queries.repriced_parts(first, last, current_constants())
    days = {day: list(of_day) for day, of_day in groupby(parts, key=lambda part: part.on)}
    states = queries.day_states(days)
    return [difference(day, parts, *states[day]) for day, parts in days.items()]


def difference(
    day: date, parts: list[Part], was: Decimal, rolled_up_at: Any, is_waiting: bool
) -> DayDifference:
    change = Decimal(0)
    for part in parts:
        change = EXACT.add(change, part.change)
    facts = [rolled_up_at, [(part.model, part.price_id, plain(part.was), plain(part.now)) for part in parts]]
    version = hashlib.sha256(orjson.dumps(facts)).hexdigest()[:20]
    return DayDifference(day, was, change, parts, version, is_waiting)


def version_of(days: Iterable[DayDifference]) -> str:
    """Return a digest of a whole preview, which changes when any day of it does."""
    together = "".join(f"{day.on}{day.version}" for day in days)
    return hashlib.sha256(together.encode()).hexdigest()[:20]


def apply(days: Iterable[DayDifference], *, folds: bool = True) -> Iterator[tuple[DayDifference, DayCost]]:
    """Roll up each day by the prices in effect now, from the partials, and yield what became of it.

    Each day is a transaction of its own, so what was done stays done. folds: as the rollup takes it.

    Raises:
        PreviewOutdated: when a day, its events or its prices are not those of the preview.
        RollupBusy, LeaseLost: see costs.rollup.
    """
    for expected in days:
        yield expected, rollup_costs_for_date(expected.on, reprice=require(expected), folds=folds)


def require(expected: DayDifference) -> Any:
    """Return the check, made in the transaction that holds the day, that the preview still holds."""

    def check(day: date) -> None:
        found = preview(day, day)
        unchanged = bool(found) and found[0].version == expected.version
        if not unchanged or CostDay.objects.filter(date=day).exclude(dirty_at=None).exists():
            raise PreviewOutdated(day)

    return check


def keep(done: list[DayDifference], *, actor: str) -> None:
    """Keep in the audit trail which days were repriced, and by how much; nothing where there is none."""
    if done:
        record_audit(
            actor=actor,
            action="price.reprice",
            target=f"{done[0].on} to {done[-1].on}",
            after={"days": len(done), "difference_usd": signed(totals(done))},
        )


def totals(days: Iterable[DayDifference]) -> Decimal:
    """Return the signed sum of differences."""
    total = Decimal(0)
    for day in days:
        total = EXACT.add(total, day.change)
    return total


def differences(days: list[DayDifference]) -> dict[str, Any]:
    """Return how many closed days have other prices than those in effect, and what that makes."""
    return {
        "stale_days": len(days),
        "stale_total": totals(days),
        "stale_first": days[0].on if days else None,
        "stale_last": days[-1].on if days else None,
    }
