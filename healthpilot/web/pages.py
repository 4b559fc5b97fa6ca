"""Cursor pages: a signed cursor holds the sort key of the row it starts beside, so no page skips rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core import signing

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Room for the longest key there is: 40 letters that JSON writes as twelve each, beside an exact amount.
MAX_CURSOR_LENGTH = 1024

Row = TypeVar("Row")


class CursorError(ValueError):
    """The cursor was changed, is cut short, or belongs to another list."""


@dataclass(frozen=True)
class Cursor:
    """Where a page starts: after the row with this key, or before it when backwards."""

    key: tuple[str, ...]
    backwards: bool


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list, with the cursors of its neighbours; None where the list ends."""

    rows: list[Row]
    next_cursor: str | None
    previous_cursor: str | None


def clamped(limit: int | None) -> int:
    """Return a page size between 1 and 200, 50 when none is asked for."""
    return DEFAULT_LIMIT if limit is None else max(1, min(limit, MAX_LIMIT))


def sealed(scope: str, key: Sequence[str], *, backwards: bool = False) -> str:
    """Return the cursor's text, signed for one list: scope names the list with its range and filter."""
    return _signer(scope).sign_object([int(backwards), *key])


def opened(scope: str, text: str) -> Cursor:
    """Return what a cursor says; raises CursorError."""
    try:
        backwards, *key = _signer(scope).unsign_object(text[:MAX_CURSOR_LENGTH])
    except (signing.BadSignature, ValueError) as error:
        raise CursorError("this cursor does not belong to this list; start again without it") from error
    return Cursor(tuple(key), bool(backwards))


def keyset_page(
    fetch: Callable[[Cursor | None, int], Sequence[Row]],
    key_of: Callable[[Row], Sequence[str]],
    *,
    scope: str,
    cursor: str | None,
    limit: int,
) -> Page[Row]:
    """Return one page; fetch gives up to so many rows after the cursor, or before it in reverse order.

    Raises:
        CursorError: the cursor was changed or belongs to another list.
    """
    start = opened(scope, cursor) if cursor else None
    found = list(fetch(start, limit + 1))
    more, rows = len(found) > limit, found[:limit]
    backwards = start is not None and start.backwards
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (more or backwards)
    has_previous = bool(rows) and start is not None and (more or not backwards)
    return Page(
        rows,
        sealed(scope, key_of(rows[-1])) if has_next else None,
        sealed(scope, key_of(rows[0]), backwards=True) if has_previous else None,
    )


def _signer(scope: str) -> signing.Signer:
    return signing.Signer(salt=f"healthpilot.web.pages:{scope}")
