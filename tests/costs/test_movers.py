"""Why the cost changed: exact, the largest both ways, adding up."""

from decimal import Decimal

import pytest

from costs.movers import EACH_WAY, changes, sentence, user_change
from costs.ranges import ending_today
from tests.costs.factories import days_ago, make_breakdown, make_user_day, today

pytestmark = pytest.mark.django_db
WEEK = 7


def moved(kind: str, key: str, before: str, now: str) -> None:
    """Store a cost in the week before and one in this week, none of it today."""
    make_breakdown(days_ago(WEEK + 1), kind, key, before)
    make_breakdown(days_ago(1), kind, key, now)


def test_movers_and_the_rest_add_up_to_the_change() -> None:
    for number in range(12):
        moved("domain", f"d{number:02}", "1.0000000001", str(1 + Decimal(number - 5) / 10**9))
    found = changes(ending_today(WEEK, today()))["domain"]
    assert len(found.movers) == 2 * EACH_WAY
    assert found.others == 12 - 2 * EACH_WAY
    assert sum(mover.change for mover in found.movers) + found.rest == found.total
    assert found.before == Decimal("12.0000000012")
    assert [mover.name for mover in found.movers][:2] == ["d11", "d00"]
    assert found.movers[-1].name == "d03"


def test_today_is_left_out_and_so_is_its_counterpart() -> None:
    moved("tier", "pro", "2", "3")
    make_breakdown(today(), "tier", "pro", "500")
    make_breakdown(days_ago(WEEK), "tier", "pro", "700")
    found = changes(ending_today(WEEK, today()))["tier"]
    assert (found.before, found.now) == (2, 3)


def test_parts_that_only_fall_name_no_rise() -> None:
    for number in range(9):
        moved("model", f"m{number}", "5", str(4 - number / 10))
    found = changes(ending_today(WEEK, today()))["model"]
    assert [mover.name for mover in found.movers] == ["m8", "m7", "m6", "m5"]
    assert found.others == 5


def test_the_sentence_names_the_largest_mover_of_each_kind_in_the_direction_of_the_whole() -> None:
    moved("tier", "pro", "10", "14")
    moved("tier", "free", "10", "9")
    moved("domain", "ai", "20", "23")
    moved("model", "", "20", "23")
    assert sentence(changes(ending_today(WEEK, today()))) == (
        "$3.00 more than the period before (15.0\u202f%), mostly in tier Pro (+$4.00), in domain ai (+$3.00)"
        ", through jobs (no model) (+$3.00)."
    )


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [("0", "3", "all of it is new"), ("3", "3", "Exactly as much"), ("3", "0", "$3.00 less")],
)
def test_the_sentence_fits_what_happened(before: str, now: str, said: str) -> None:
    moved("tier", "pro", before, now)
    assert said in sentence(changes(ending_today(WEEK, today())))


def test_nothing_at_all_is_said_so() -> None:
    assert sentence(changes(ending_today(WEEK, today()))) == "No complete day has a cost to compare."
    assert changes(ending_today(1, today())) == {}


def test_users_are_compared_the_same_way() -> None:
    for number, (before, now) in enumerate([("1", "9"), ("5", "2"), ("4", "4")]):
        make_user_day(days_ago(WEEK + 2), f"u{number}", before)
        make_user_day(days_ago(2), f"u{number}", now)
    make_user_day(days_ago(1), "newcomer", "1")
    found = user_change(ending_today(WEEK, today()))
    assert found is not None
    assert [(mover.name, mover.change) for mover in found.movers] == [("u0", 8), ("u1", -3), ("newcomer", 1)]
    assert (found.total, found.rest, found.others) == (6, 0, 1)
