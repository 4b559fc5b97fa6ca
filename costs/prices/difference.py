"""What the price library would change: compared line by line before anything is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from costs.models import ModelPrice
from costs.prices import library, queries
from costs.prices.library import LibraryPrice
from costs.prices.setting import NewPrice, set_price
from costs.pricing import plain

NAME_LENGTH = 40
AMOUNTS = ("input", "cached_input", "output", "request")


class Status(StrEnum):
    """What a line of the difference is."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    KEPT = "kept"  # set by hand, so the library does not replace it
    ZERO = "zero"  # the library says free, which is more often a gap than a gift
    GONE = "gone"  # the library no longer knows what it once priced
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Line:
    """One model from one day on: the price there is, and the one the library has."""

    model: str
    provider: str
    effective_from: date
    status: Status
    before: ModelPrice | None = None
    after: LibraryPrice | None = None
    note: str = ""

    @property
    def changes(self) -> dict[str, Decimal]:
        """Return by how many percent each amount changes; an amount that was zero has no percentage."""
        if self.before is None or self.after is None:
            return {}
        return {
            name: (now - was) * 100 / was
            for name, was, now in zip(AMOUNTS, self.before.amounts, self.after.amounts, strict=True)
            if was and was != now
        }

    def as_json(self) -> dict[str, Any]:
        """Return the line for JSON: amounts as strings, USD per million tokens and per request."""
        return {
            "model": self.model,
            "provider": self.provider,
            "effective_from": self.effective_from.isoformat(),
            "status": self.status.value,
            "before": self.before and named(self.before.amounts),
            "after": self.after and named(self.after.amounts),
            "change_percent": {name: f"{change:+.2f}" for name, change in self.changes.items()},
            "note": self.note,
        }


def named(amounts: tuple[Decimal, ...]) -> dict[str, str]:
    return {name: plain(amount) for name, amount in zip(AMOUNTS, amounts, strict=True)}


def compare(first: date, today: date, *, every: bool = False, replace_kept: bool = False) -> Iterator[Line]:
    """Yield what the library would change from a day on, model by model.

    Where the library knows that a price changed between that day and today there is a line for each price.

    Args:
        first: the local day from which prices are to apply.
        today: the current local day.
        every: all models that the library knows by a name of their own, not only those seen in the data.
        replace_kept: treat prices set by hand like those from the library.
    """
    seen = queries.seen_models()
    for model in seen:
        yield from lines_of(model, queries.providers_of(model), first, today, replace_kept=replace_kept)
    if every:
        for other in library.every_model(longest=NAME_LENGTH):
            if other.model not in seen:
                yield from lines_of(other.model, [other.provider], first, today, replace_kept=replace_kept)


def lines_of(
    model: str, providers: list[str], first: date, today: date, *, replace_kept: bool
) -> Iterator[Line]:
    """Yield one model's lines, oldest first; of several providers the one with most calls counts."""
    provider = providers[0] if providers else ""
    several = f"also served by {', '.join(providers[1:])}" if providers[1:] else ""
    last: LibraryPrice | None = None
    days = [first, *(day for day in library.starts(model, provider) if first < day <= today)]
    for day in days:
        after = library.price_on(model, provider, day)
        if day != first and after is not None and last is not None and after.amounts == last.amounts:
            continue
        before = in_effect(model, day)
        status = status_of(before, after, replace_kept=replace_kept)
        note = "; ".join(part for part in (after.note if after else "", several) if part)
        yield Line(model, provider, day, status, before, after, note)
        last = after


def in_effect(model: str, day: date) -> ModelPrice | None:
    """Return the price row that applies to a model on a day."""
    rows = ModelPrice.objects.filter(llm_model=model, superseded_at=None, effective_from__lte=day)
    row = rows.order_by("-effective_from").first()
    return row if row and (row.effective_to is None or row.effective_to > day) else None


def status_of(before: ModelPrice | None, after: LibraryPrice | None, *, replace_kept: bool) -> Status:
    """Say what a line is."""
    by_hand = before is not None and not before.source.startswith("genai-prices")
    if after is None:
        return Status.UNKNOWN if before is None else Status.KEPT if by_hand else Status.GONE
    if before is not None and before.amounts == after.amounts:
        return Status.SAME
    if by_hand and not replace_kept:
        return Status.KEPT
    if after.is_free:
        return Status.ZERO
    return Status.CHANGED if before else Status.NEW


def write(line: Line, *, created_by: str) -> ModelPrice:
    """Set the library's price of a line; raises PriceConflict."""
    assert line.after is not None
    return set_price(
        NewPrice(
            llm_model=line.model,
            provider=line.after.provider,
            effective_from=line.effective_from,
            amounts=line.after.amounts,
            source=library.source(),
            reason=line.note[:200],
            created_by=created_by,
        )
    )
