"""Setting a price: a new row that ends the one before it; what was said before is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from costs.models import CostDay, ModelPrice
from costs.pricing import plain
from systemstatus.audit import record_audit

BY_HAND = "admin"


@dataclass(frozen=True)
class NewPrice:
    """A price to set: USD per million tokens (input, cached input, output) and per request, from a local day.

    reason says why, created_by who.
    """

    llm_model: str
    effective_from: date
    amounts: tuple[Decimal, Decimal, Decimal, Decimal]
    provider: str = ""
    source: str = BY_HAND
    reason: str = ""
    created_by: str = ""


class PriceConflict(Exception):  # noqa: N818 - reads as what happened
    """Somebody else set a price of this model meanwhile; nothing was written."""

    def __init__(self, newest: ModelPrice | None) -> None:
        self.newest = newest
        who = f"{newest.created_by or newest.source} set one from {newest.effective_from}" if newest else ""
        super().__init__(f"The prices of this model changed meanwhile: {who or 'look at them again'}.")


def newest_id(llm_model: str) -> int:
    """Return which of a model's rows is the newest, 0 for none: what an editor saw when it began."""
    return (
        ModelPrice.objects.filter(llm_model=llm_model).order_by("-id").values_list("id", flat=True).first()
        or 0
    )


def set_price(new: NewPrice, *, seen: int | None = None) -> ModelPrice:
    """Store a price from its day until the next one begins, and return the row that says so.

    A row that applied on that day ends there; one that began on that very day is superseded and kept. The
    same price again changes nothing.

    Args:
        new: the price.
        seen: newest_id as it was when the price was thought up; None sets it whatever happened since.

    Raises:
        PriceConflict: when the model's prices are not those that were seen, or another one is being set.
    """
    try:
        with transaction.atomic():
            return replace(new, locked(new.llm_model), seen)
    except IntegrityError as error:
        rows = locked_rows(new.llm_model)
        same = said_already(new, rows)
        if same is None:
            raise PriceConflict(rows[-1] if rows else None) from error
        return same


def locked(llm_model: str) -> list[ModelPrice]:
    """Return a model's rows, oldest first, after waiting for whoever sets its price now."""
    list(ModelPrice.objects.select_for_update().filter(llm_model=llm_model).values_list("id", flat=True))
    return locked_rows(llm_model)


def locked_rows(llm_model: str) -> list[ModelPrice]:
    return list(ModelPrice.objects.filter(llm_model=llm_model).order_by("id"))


def said_already(new: NewPrice, rows: Sequence[ModelPrice]) -> ModelPrice | None:
    """Return the row that says the same from the same day on."""
    return next(
        (
            row
            for row in rows
            if row.superseded_at is None
            and (row.effective_from, row.amounts) == (new.effective_from, new.amounts)
        ),
        None,
    )


def replace(new: NewPrice, rows: Sequence[ModelPrice], seen: int | None) -> ModelPrice:
    """Store the row among a model's locked rows."""
    same = said_already(new, rows)
    if same:
        return same
    if seen is not None and seen != (rows[-1].id if rows else 0):
        raise PriceConflict(rows[-1] if rows else None)
    valid = [row for row in rows if row.superseded_at is None]
    later = [row.effective_from for row in valid if row.effective_from > new.effective_from]
    for row in valid:
        give_way(row, new.effective_from)
    given, cached, made, request = new.amounts
    row = ModelPrice.objects.create(
        llm_model=new.llm_model,
        provider=new.provider,
        effective_from=new.effective_from,
        effective_to=min(later, default=None),
        input_usd_per_million=given,
        cached_input_usd_per_million=cached,
        output_usd_per_million=made,
        request_usd=request,
        source=new.source,
        reason=new.reason,
        created_by=new.created_by,
    )
    mark_open_days(new.effective_from)
    earlier = [one for one in valid if one.effective_from <= new.effective_from]
    was = max(earlier, key=lambda one: one.effective_from, default=None)
    record_audit(
        actor=new.created_by or new.source,
        action="price.set",
        target=new.llm_model,
        before=as_shown(was) if was else None,
        after=as_shown(row),
        reason=new.reason,
    )
    return row


def mark_open_days(first: date) -> None:
    """Have the days from this one on that are not closed rolled up anew, though no further event may come."""
    is_clean = CostDay.objects.filter(closed_at=None, dirty_at=None, date__gte=first)
    is_clean.exclude(rolled_up_at=None).update(dirty_at=Now(), updated_at=Now())


def as_shown(row: ModelPrice) -> dict[str, str]:
    """Return a price as the audit trail keeps it: USD per million tokens, and per request."""
    names = ("input", "cached_input", "output", "request")
    amounts = {name: plain(amount) for name, amount in zip(names, row.amounts, strict=True)}
    return {"from": row.effective_from.isoformat(), **amounts}


def give_way(row: ModelPrice, day: date) -> None:
    """End a row where a new one begins; supersede it if it began on that day itself."""
    own = ModelPrice.objects.filter(pk=row.pk)
    if row.effective_from == day:
        own.update(superseded_at=Now(), updated_at=Now())
    elif row.effective_from < day and (row.effective_to is None or row.effective_to > day):
        own.update(effective_to=day, updated_at=Now())
