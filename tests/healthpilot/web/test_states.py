"""The seven states: which keep the data in sight, which put a reason in their place."""

import pytest
from django.template.loader import render_to_string

from healthpilot.web import states
from healthpilot.web.states import Act

RETRY = Act("Retry", "?again")


def card(state: states.State) -> str:
    return render_to_string(
        "components/_kpi.html",
        {"key": "spend", "label": "Spend", "value": "$4.20", "series": [1, 2], "state": state},
    )


@pytest.mark.parametrize(
    "state",
    [states.ready(), states.stale("26 h old"), states.partial("No Free"), states.error("No answer", RETRY)],
)
def test_the_last_good_data_stay_in_sight(state: states.State) -> None:
    assert not state.is_blank
    assert "$4.20" in card(state)


@pytest.mark.parametrize(
    "state",
    [
        states.empty("Nothing yet", "Send an event."),
        states.filtered("No match", "The filter hides all."),
        states.error("No answer", RETRY, title="Not read", has_data=False),
    ],
)
def test_without_data_a_reason_stands_in_their_place(state: states.State) -> None:
    assert state.is_blank
    assert not state.is_noted
    shown = card(state)
    assert "$4.20" not in shown
    assert state.text in shown


def test_loading_is_told_to_those_who_do_not_see_the_skeleton() -> None:
    shown = card(states.loading())
    assert 'aria-busy="true"' in shown
    assert "Loading" in shown
    assert "$4.20" not in shown


@pytest.mark.parametrize(
    ("state", "word"),
    [(states.stale("old"), "Stale"), (states.partial("less"), "Warning"), (states.error("no"), "Error")],
)
def test_a_doubt_about_the_data_has_a_shape_and_a_word(state: states.State, word: str) -> None:
    assert state.word == word
    assert state.icon == f"s-{state.tone}"
    assert word in card(state)


def test_an_error_offers_its_reference_and_retry() -> None:
    note = render_to_string(
        "components/_note.html", {"id": "users", "state": states.error("No answer", RETRY, reference="HP-1")}
    )
    assert '<code id="users-reference">HP-1</code>' in note
    assert 'data-copy="users-reference"' in note
    assert '<a href="?again">Retry</a>' in note
