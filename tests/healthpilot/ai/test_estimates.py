"""How many tokens questions and answers are taken to have where nobody states it."""

from types import SimpleNamespace
from typing import Any

import pytest

from healthpilot.ai.estimates import characters_of, expected

PICTURE = "data:image/png;base64," + "A" * 2_000_000


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({"input": "x" * 41}, 11),
        ({"input": ["x" * 40, "y" * 40]}, 20),
        ({"input": [1, 2, 3]}, 3),
        ({"input": [[1, 2, 3], [4]]}, 4),
        ({"input": ""}, 1),
        ({"input": "x" * 4, "instructions": "y" * 4, "tools": [{"description": "z" * 4, "strict": True}]}, 3),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 388}]}]}, 99),
    ],
)
def test_a_question_is_measured_by_its_text_or_its_tokens(options: dict[str, Any], tokens: int) -> None:
    assert expected(options)[0] == tokens


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
        {"type": "input_image", "image_url": PICTURE},
        {"type": "input_audio", "input_audio": {"data": "A" * 2_000_000, "format": "wav"}},
        {"type": "input_file", "file_data": "A" * 2_000_000},
    ],
)
def test_a_picture_is_not_taken_for_a_text_of_two_million_characters(part: dict[str, Any]) -> None:
    tokens, _ = expected({"messages": [{"role": "user", "content": [part]}]})
    assert 1000 < tokens < 2000


def test_what_an_answer_writes_is_counted_calls_of_tools_included() -> None:
    function = SimpleNamespace(name="add", arguments='{"a": 1}')
    delta = SimpleNamespace(content=None, tool_calls=[SimpleNamespace(function=function)])
    assert characters_of(SimpleNamespace(choices=[SimpleNamespace(delta=delta)])) == 8
    thought = SimpleNamespace(content="four", reasoning_content="two and two")
    assert characters_of(SimpleNamespace(choices=[SimpleNamespace(message=thought)] * 2)) == 30
    said = SimpleNamespace(content=[SimpleNamespace(text="four")])
    assert characters_of(SimpleNamespace(output=[said, SimpleNamespace(arguments="{}")])) == 6
    assert characters_of(SimpleNamespace(delta="fo")) == 2
    assert characters_of(SimpleNamespace(choices=None)) == 0
