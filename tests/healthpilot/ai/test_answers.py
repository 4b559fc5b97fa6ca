"""Answers are kept per user and context, forgotten with their user and when they are old."""

from datetime import timedelta

import pytest
from django.utils import timezone

from healthpilot.ai import answers
from healthpilot.ai.actor import Actor
from healthpilot.ai.models import AiAnswer
from healthpilot.ai.tasks import prune_answers
from healthpilot.ai.usage import Usage

pytestmark = pytest.mark.django_db
ADA, BO = Actor("ada", "pro", "ai"), Actor("bo", "pro", "ai")


class Answer:
    """A response as the client gives it, of which only this is asked."""

    def __init__(self, told: object) -> None:
        self.told = told

    def to_dict(self, *, mode: str) -> object:
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


def keep(actor: Actor, answer: object, context: str = "sums") -> bytes:
    question = answers.fingerprint("chat", {"model": "m", "messages": ["2 + 2?"]})
    assert question
    answers.keep_answer(actor, context, question, model="m", usage=Usage(1, 1), response=Answer(answer))
    return question


def test_old_answers_are_deleted_and_not_given_any_more() -> None:
    question = keep(ADA, {"text": "four"})
    AiAnswer.objects.update(updated_at=timezone.now() - answers.KEEP - timedelta(seconds=1))
    keep(BO, {"text": "four"})
    assert answers.kept_answer(ADA, "sums", question) is None
    prune_answers()
    assert list(AiAnswer.objects.values_list("user_id", flat=True)) == ["bo"]


def test_a_user_can_be_forgotten() -> None:
    for context in ("sums", "names"):
        keep(ADA, {"text": "four"}, context)
    keep(BO, {"text": "four"})
    assert answers.forget_user("ada") == 2
    assert AiAnswer.objects.count() == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "x" * answers.ANSWER_MOST_BYTES},
        {"text": "nul \0"},
        {"text": "half a pair \ud800"},
        {"logprob": float("-inf")},
        TypeError("no part of this answer is known"),
    ],
)
def test_what_cannot_be_kept_is_not_and_nothing_is_raised(answer: object) -> None:
    keep(ADA, answer)
    assert not AiAnswer.objects.exists()


def test_a_question_that_cannot_be_told_is_asked_each_time() -> None:
    assert answers.fingerprint("chat", {"messages": [object()]}) is None


def test_a_user_whose_id_is_no_text_is_asked_each_time() -> None:
    assert answers.kept_answer(Actor("\ud800", "pro", "ai"), "sums", b"x") is None
