"""About how many tokens a question and an answer have: before a call, and where nobody states its usage."""

from collections.abc import Mapping
from typing import Any, Final

CHARACTERS_PER_TOKEN: Final = 4
ATTACHED: Final = ("data", "file_data")
ATTACHED_CHARACTERS: Final = 6000
# What a choice of Chat Completions writes; reasoning as providers other than OpenAI show it.
WRITTEN: Final = ("content", "refusal", "reasoning_content", "reasoning")
OUTPUT_LIMITS: Final = ("max_output_tokens", "max_completion_tokens", "max_tokens")


def expected(options: Mapping[str, Any]) -> tuple[int, int]:
    """Return about how many tokens go in, and how many may come out at most (0: not limited).

    Only budgets read this, before the call, and records where no usage is stated: four characters are taken
    for a token, and budgets learn by how much that falls short. Each of `n` answers may take as much.
    """
    question = options.get("input", options.get("messages", ""))
    parts = (question, options.get("instructions", ""), options.get("tools", ()))
    characters = sum(map(text_length, parts))
    limits = (options.get(name) for name in OUTPUT_LIMITS)
    most = next((limit for limit in limits if isinstance(limit, int) and limit > 0), 0)
    answers = options.get("n")
    return max(1, tokens_in(characters)), most * max(1, answers if type(answers) is int else 1)


def tokens_in(characters: int) -> int:
    """Return about how many tokens a text of so many characters has."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def text_length(value: Any) -> int:
    """Return how many characters of text a question holds, however it is nested.

    A number in a list is a token, as embeddings take them. Pictures and files that come within the question
    are billed by their size in pixels or pages, not by how long they are written.
    """
    if isinstance(value, str):
        return min(len(value), ATTACHED_CHARACTERS) if value.startswith("data:") else len(value)
    if isinstance(value, Mapping):
        return sum(
            min(text_length(part), ATTACHED_CHARACTERS) if name in ATTACHED else text_length(part)
            for name, part in value.items()
            if not isinstance(part, int)
        )
    if isinstance(value, list | tuple):
        return sum(CHARACTERS_PER_TOKEN if type(part) is int else text_length(part) for part in value)
    return 0


def characters_of(event: Any) -> int:
    """Return how many characters of answer a chunk, an event of Responses, or a whole completion brings."""
    if isinstance(delta := getattr(event, "delta", None), str):
        return len(delta)
    choices = getattr(event, "choices", None)
    if isinstance(choices, list):
        return sum(map(characters_of_choice, choices))
    output = getattr(event, "output", None)
    return sum(map(characters_of_item, output)) if isinstance(output, list) else 0


def characters_of_choice(choice: Any) -> int:
    """Return how many characters one answer of a completion, or its next piece, has."""
    part = getattr(choice, "delta", None) or getattr(choice, "message", None)
    texts = [getattr(part, name, None) for name in WRITTEN]
    calls = getattr(part, "tool_calls", None) or ()
    texts += [getattr(getattr(call, "function", None), "arguments", None) for call in calls]
    return sum(len(text) for text in texts if isinstance(text, str))


def characters_of_item(item: Any) -> int:
    """Return how many characters an item of a Responses answer has."""
    texts = [getattr(item, "arguments", None)]
    texts += [getattr(part, "text", None) for part in getattr(item, "content", None) or ()]
    return sum(len(text) for text in texts if isinstance(text, str))
