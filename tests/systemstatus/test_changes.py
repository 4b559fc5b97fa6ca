"""What was changed in the half hour before a moment, for one and for many."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pytest_django.fixtures import DjangoAssertNumQueries

from systemstatus.audit import record_audit
from systemstatus.changes import changes_before, changes_before_each, recent_changes, words_for

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def change(minutes_before: float, action: str = "budget.save", target: str = "global:") -> None:
    with time_machine.travel(NOON - timedelta(minutes=minutes_before), tick=False):
        record_audit(actor="ada", action=action, target=target)


def test_the_newest_come_first_and_the_bounds_are_the_half_hour() -> None:
    for minutes, target in ((30, "too old"), (29.9, "first"), (1, "second"), (0, "at it"), (-0.1, "after")):
        change(minutes, target=target)
    assert [found.target for found in changes_before(NOON)] == ["at it", "second", "first"]
    assert [found.target for found in changes_before(NOON, minutes=2)] == ["at it", "second"]


def test_what_people_do_about_alerts_is_no_change_that_explains_one() -> None:
    change(3, "alert.acknowledge")
    change(2, "alert.silence")
    change(1, "deploy", "release")
    assert [found.words for found in changes_before(NOON)] == ["Another release"]
    assert [found.action for found in recent_changes(NOON)] == ["deploy"]


def test_many_moments_are_one_query_and_each_has_its_own_five(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for minutes in range(12):
        change(minutes, target=f"{minutes}")
    moments = [NOON, NOON - timedelta(minutes=8), NOON - timedelta(days=9), NOON]
    with django_assert_num_queries(1):
        found = changes_before_each(moments)
    assert [one.target for one in found[NOON]] == ["0", "1", "2", "3", "4"]
    assert [one.target for one in found[moments[1]]] == ["8", "9", "10", "11"]
    assert found[moments[2]] == []
    with django_assert_num_queries(0):
        assert changes_before_each([]) == {}


def test_the_last_changes_end_at_the_time_that_is_looked_at() -> None:
    change(5, target="before")
    change(-5, target="after")
    assert [found.target for found in recent_changes(NOON)] == ["before"]


@pytest.mark.parametrize(
    ("action", "words"), [("queue.pause", "Queue paused"), ("door.left_open", "Door left open")]
)
def test_an_action_has_words(action: str, words: str) -> None:
    assert words_for(action) == words
