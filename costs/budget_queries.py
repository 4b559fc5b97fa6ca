"""The list of budgets by cursor: everything first, then tiers, domains and users."""

from typing import TYPE_CHECKING, Final

from django.db.models import Case, IntegerField, Q, Value, When

from costs.models import CostBudget
from costs.throttle.scopes import KINDS
from healthpilot.web.pages import Cursor, Page, keyset_page

if TYPE_CHECKING:
    from django.db.models import QuerySet

PLACE: Final = {kind: place for place, kind in enumerate(KINDS)}
ORDER: Final = Case(
    *[When(apply_scope=kind, then=Value(place)) for kind, place in PLACE.items()],
    output_field=IntegerField(),
)


def budgets(*, limit: int, cursor: str | None) -> Page[CostBudget]:
    """Return one page of budgets, by kind of scope and then by key; raises CursorError."""
    return keyset_page(
        fetch,
        lambda row: (str(PLACE[row.apply_scope]), row.scope_key),
        scope="budgets",
        cursor=cursor,
        limit=limit,
    )


def first(most: int) -> list[CostBudget]:
    """Return the first so many budgets in the order of the list: that of everything is always among them."""
    return fetch(None, most)


def fetch(start: Cursor | None, most: int) -> list[CostBudget]:
    """Return up to so many budgets after a cursor, or before it in reverse order."""
    return list(beside(start)[:most])


def beside(start: Cursor | None) -> "QuerySet[CostBudget]":
    """Return the budgets on one side of a cursor, the nearest first."""
    rows = CostBudget.objects.annotate(place=ORDER)
    if start is None:
        return rows.order_by("place", "scope_key")
    place, key = int(start.key[0]), start.key[1]
    if start.backwards:
        before = Q(place__lt=place) | Q(place=place, scope_key__lt=key)
        return rows.filter(before).order_by("-place", "-scope_key")
    after = Q(place__gt=place) | Q(place=place, scope_key__gt=key)
    return rows.filter(after).order_by("place", "scope_key")
