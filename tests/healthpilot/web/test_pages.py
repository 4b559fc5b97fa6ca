"""Cursor pages walk a list both ways without losing or repeating a row, and refuse what they did not sign."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthpilot.web import pages
from healthpilot.web.pages import Cursor, CursorError, keyset_page


def fetch_from(rows: Sequence[int]):  # type: ignore[no-untyped-def] # the inner function says it
    def fetch(start: Cursor | None, most: int) -> list[int]:
        if start is None:
            return list(rows[:most])
        at = int(start.key[0])
        if start.backwards:
            return [row for row in reversed(rows) if row < at][:most]
        return [row for row in rows if row > at][:most]

    return fetch


def page(rows: Sequence[int], cursor: str | None, limit: int) -> pages.Page[int]:
    return keyset_page(fetch_from(rows), lambda row: (str(row),), scope="numbers", cursor=cursor, limit=limit)


@given(st.integers(0, 40), st.integers(1, 12))
def test_walking_forwards_and_back_meets_every_row_once(length: int, limit: int) -> None:
    rows = list(range(length))
    there, current = [], page(rows, None, limit)
    there.append(current.rows)
    while current.next_cursor:
        current = page(rows, current.next_cursor, limit)
        there.append(current.rows)
    assert [row for part in there for row in part] == rows
    back = [current.rows]
    while current.previous_cursor:
        current = page(rows, current.previous_cursor, limit)
        back.append(current.rows)
    assert list(reversed(back)) == there


def test_the_first_page_has_no_previous_and_the_last_no_next() -> None:
    first = page([1, 2, 3], None, 2)
    last = page([1, 2, 3], first.next_cursor, 2)
    assert first.previous_cursor is None
    assert last.next_cursor is None
    assert last.rows == [3]


@pytest.mark.parametrize("name", ["🦄" * 40, "漢" * 40, "\u202e" * 40, '"' * 40])
def test_a_cursor_carries_the_longest_name_that_can_be_recorded(name: str) -> None:
    key = ("123456789.000000000000000000000000001", name)
    assert pages.opened("users", pages.sealed("users", key)).key == key


@pytest.mark.parametrize("text", ["", "nonsense", "a:b", "W10:x", "\x00", "é" * 40, "x" * 5000])
def test_a_cursor_that_was_not_signed_here_is_refused(text: str) -> None:
    with pytest.raises(CursorError):
        pages.opened("numbers", text)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(CursorError):
        pages.opened("other", pages.sealed("numbers", ["3"]))


def test_a_changed_cursor_is_refused() -> None:
    good = pages.sealed("numbers", ["3"])
    with pytest.raises(CursorError):
        pages.opened("numbers", ("B" if good[0] == "A" else "A") + good[1:])


@pytest.mark.parametrize(("asked", "limit"), [(None, 50), (1, 1), (200, 200), (10**9, 200), (0, 1), (-5, 1)])
def test_the_page_size_is_held_between_one_and_two_hundred(asked: int | None, limit: int) -> None:
    assert pages.clamped(asked) == limit
