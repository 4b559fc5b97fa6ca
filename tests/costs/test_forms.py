"""The query string: what it may say, and a polite answer to what it may not."""

from datetime import date

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from costs.forms import Asked, asked

TODAY = date(2026, 11, 22)


def ask(query: str) -> Asked:
    return asked(QueryDict(query), today=TODAY)


def test_nothing_asked_means_thirty_days_in_both_views() -> None:
    question = ask("")
    assert (question.range.preset, question.view, question.problems) == (30, "both", [])


@pytest.mark.parametrize("days", [7, 30, 90])
def test_the_presets_are_understood(days: int) -> None:
    assert ask(f"days={days}").range.preset == days


def test_any_days_may_be_asked_for() -> None:
    question = ask("from=2023-11-10&to=2023-11-16")
    assert (question.range.first_on, question.range.last_on) == (date(2023, 11, 10), date(2023, 11, 16))
    assert not question.problems


def test_days_to_come_are_cut_off() -> None:
    assert ask("from=2026-11-20&to=2027-01-01").range.last_on == TODAY


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("days=abc", "days must be a whole number"),
        ("days=0", "days must be at least 1"),
        ("days=100000", "days must be at most 366"),
        ("days=7.5", "days must be a whole number"),
        ("from=2026-02-30&to=2026-03-01", "from must be a day that exists"),
        ("from=2026-03-01&to=yesterday", "to must be a day that exists"),
        ("from=2026-11-10&to=2026-11-01", "is after to="),
        ("from=2026-12-10&to=2026-12-11", "lies in the future"),
        ("from=2020-01-01&to=2026-01-01", "at most 366 days"),
        ("from=0001-01-01&to=0001-01-05", "from must be a day from 2000 on"),
        ("from=1999-12-31&to=2000-01-01", "from must be a day from 2000 on"),
        ("from=2026-11-10", "from and to belong together"),
        ("to=2026-11-10", "from and to belong together"),
        ("view=hologram", "view must be one of chart, table, both"),
        ("q=" + "x" * 41, "at most 40 characters"),
    ],
)
def test_what_cannot_be_meant_is_named_and_the_usual_range_shown(query: str, said: str) -> None:
    question = ask(query)
    assert said in " ".join(question.problems)
    assert question.range.preset == 30


@given(st.dictionaries(st.sampled_from(["days", "from", "to", "view", "q", "cursor"]), st.text()))
def test_no_query_string_fails(values: dict[str, str]) -> None:
    query = QueryDict(mutable=True)
    query.update(values)
    question = asked(query, today=TODAY)
    assert 1 <= question.range.days <= 366
    assert question.range.last_on <= TODAY
    assert question.view in {"chart", "table", "both"}


def test_an_address_says_only_what_differs_from_a_first_visit() -> None:
    assert ask("").query() == "days=30"
    said = "days=7&compare=none&by=user&view_tokens=both&sort=jobs&q=usr_&tier=pro"
    assert ask(said).query() == said


def test_a_change_of_anything_else_drops_the_cursor() -> None:
    assert "cursor" not in ask("cursor=abc").query(sort="jobs")
    assert "cursor=abc" in ask("cursor=abc").query()


def test_a_change_of_the_range_replaces_all_of_it() -> None:
    assert ask("from=2023-11-10&to=2023-11-16&sort=jobs").query(days="7") == "days=7&sort=jobs"
    back = ask("days=7").query(**{"from": "2023-11-10", "to": "2023-11-16"})
    assert back == "from=2023-11-10&to=2023-11-16"


def test_a_copied_link_shows_the_same_days_tomorrow() -> None:
    frozen = ask("days=7&sort=jobs").frozen_query
    assert frozen == "from=2026-11-16&to=2026-11-22&sort=jobs"
    tomorrow = asked(QueryDict(frozen), today=date(2026, 11, 23)).range
    assert (tomorrow.first_on, tomorrow.last_on) == (date(2026, 11, 16), TODAY)


def test_a_copied_link_keeps_its_place_in_the_list() -> None:
    assert ask("days=7&cursor=abc").frozen_query == "from=2026-11-16&to=2026-11-22&cursor=abc"


def test_an_empty_tier_is_a_filter_and_no_tier_is_none() -> None:
    assert ask("tier=").tier == ""
    assert ask("").tier is None
    assert "tier=" in ask("tier=").query()


@pytest.mark.parametrize("query", ["sort=cost_usd;drop", "by=planet", "compare=maybe", "view_tokens=3d"])
def test_choices_are_allow_listed(query: str) -> None:
    question = ask(query)
    assert f"{query.split('=')[0]} must be one of" in question.problems[0]
    assert (question.sort, question.by, question.compares) == ("-cost", "domain", True)
