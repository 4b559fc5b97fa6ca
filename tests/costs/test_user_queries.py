"""Lists of users: right sums, sorted and filtered, and pages both ways."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from costs import user_queries
from costs.models import CostWindow
from costs.ranges import DateRange, ending_today
from costs.user_queries import UserRow
from healthpilot.web.pages import CursorError
from tests.costs.factories import (
    days_ago,
    make_user_day,
    make_windows,
    today,
)

pytestmark = pytest.mark.django_db


def week() -> DateRange:
    return ending_today(7, today())


def top(
    asked: DateRange, *, use_window: bool, cursor: str | None = None, limit: int = 50, prefix: str = ""
) -> Sequence[UserRow]:
    return user_queries.top_users(
        asked, use_window=use_window, cursor=cursor, limit=limit, prefix=prefix
    ).rows


@pytest.mark.parametrize("use_window", [True, False])
def test_top_users_are_sorted_by_exact_cost_then_by_id(use_window: bool) -> None:
    make_user_day(today(), "b", "0.0000001", jobs=1)
    make_user_day(days_ago(6), "b", "0.0000001", jobs=2)
    make_user_day(today(), "c", "0.00000019")
    make_user_day(today(), "a", "0.00000019")
    make_user_day(days_ago(7), "c", "99")
    make_windows()
    rows = top(week(), use_window=use_window)
    assert [row.user_id for row in rows] == ["b", "a", "c"]
    assert (rows[0].jobs, rows[0].cost_exact) == (3, Decimal("0.0000002"))


@pytest.mark.parametrize("use_window", [True, False])
def test_a_user_shows_the_tier_of_the_last_day(use_window: bool) -> None:
    make_user_day(days_ago(3), "u", tier="free")
    make_user_day(days_ago(1), "u", tier="enterprise")
    make_windows()
    assert top(week(), use_window=use_window)[0].tier == "enterprise"


@pytest.mark.parametrize("use_window", [True, False])
def test_paging_there_and_back_meets_every_user_once_even_where_costs_are_equal(use_window: bool) -> None:
    for number in range(23):
        make_user_day(today(), f"u{number:02}", "1" if number % 3 else "0.5")
    make_windows()
    everyone = [row.user_id for row in top(week(), use_window=use_window)]
    pages, cursor = [], None
    while True:
        page = user_queries.top_users(week(), use_window=use_window, limit=5, cursor=cursor)
        pages.append([row.user_id for row in page.rows])
        if not (cursor := page.next_cursor):
            break
    back = user_queries.top_users(week(), use_window=use_window, limit=5, cursor=page.previous_cursor)
    assert [user for page in pages for user in page] == everyone
    assert [row.user_id for row in back.rows] == pages[-2]


@pytest.mark.parametrize("use_window", [True, False])
def test_users_are_found_by_the_beginning_of_their_id_letter_by_letter(use_window: bool) -> None:
    for user_id in ("usr_1", "usr_2", "USR_3", "u%r", "u_r"):
        make_user_day(today(), user_id)
    make_windows()
    assert {row.user_id for row in top(week(), use_window=use_window, prefix="usr")} == {"usr_1", "usr_2"}
    assert {row.user_id for row in top(week(), use_window=use_window, prefix="u%")} == {"u%r"}
    assert user_queries.user_count(week(), prefix="usr", use_window=use_window) == 2
    assert user_queries.user_count(week(), use_window=use_window) == 5


def test_a_cursor_of_another_range_or_filter_is_refused() -> None:
    for number in range(3):
        make_user_day(today(), f"u{number}")
    cursor = user_queries.top_users(week(), use_window=False, limit=1).next_cursor
    with pytest.raises(CursorError):
        top(ending_today(30, today()), use_window=False, cursor=cursor)
    with pytest.raises(CursorError):
        top(week(), use_window=False, cursor=cursor, prefix="u")


def test_the_window_is_used_only_when_it_holds_exactly_these_days() -> None:
    make_user_day(today(), "u")
    make_windows()
    assert user_queries.window_users(week()) == 1
    assert user_queries.window_users(ending_today(8, today())) is None
    CostWindow.objects.update(ends_on=days_ago(1))
    assert user_queries.window_users(week()) is None


def test_a_link_that_froze_the_days_keeps_its_place_in_the_list_tomorrow() -> None:
    for number in range(9):
        make_user_day(days_ago(number % 3), f"u{number}")
    first = user_queries.top_users(week(), use_window=False, limit=4)
    frozen = DateRange(days_ago(6), today(), today() + timedelta(days=1))
    kept = user_queries.top_users(frozen, use_window=False, limit=4, cursor=first.next_cursor)
    assert [row.user_id for row in kept.rows] == ["u4", "u5", "u6", "u7"]
