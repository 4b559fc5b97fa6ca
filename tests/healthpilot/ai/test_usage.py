"""What is read of usage."""

from types import SimpleNamespace
from typing import Any

import pytest

from healthpilot.ai.call import provider_of
from healthpilot.ai.usage import Usage, usage_of


def test_unknown_and_impossible_parts_of_a_usage_do_no_harm() -> None:
    told = {
        "prompt_tokens": 10,
        "completion_tokens": -3,
        "queue_time": 0.1,
        "prompt_tokens_details": {"cached_tokens": 99, "audio_tokens": 5},
        "completion_tokens_details": None,
    }
    assert usage_of(SimpleNamespace(usage=told)) == Usage(10, 0, 10, 0)
    assert usage_of("not even a response") is None


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"tokens": {"in": 4}},
        {"prompt_tokens": True, "completion_tokens": "7"},
        {"prompt_tokens": 10**30},
        {"prompt_tokens": float("nan"), "completion_tokens": float("inf")},
        {"prompt_tokens": -1},
    ],
)
def test_a_usage_that_says_nothing_is_not_taken_for_nought(told: dict[str, Any]) -> None:
    assert usage_of(SimpleNamespace(usage=told)) is None


def test_counts_may_be_written_as_floats_and_a_total_may_stand_alone() -> None:
    told = {"prompt_tokens": 12.0, "completion_tokens": 0}
    assert usage_of(SimpleNamespace(usage=told)) == Usage(12, 0)
    assert usage_of(SimpleNamespace(usage={"total_tokens": 9})) == Usage(9, 0)
    assert usage_of(SimpleNamespace(usage={"prompt_tokens": 0, "completion_tokens": 0})) == Usage()


def test_a_long_host_keeps_the_end_that_says_whose_it_is() -> None:
    assert (
        provider_of("https://my-resource-in-westeurope.openai.azure.com/openai/")
        == ("resource-in-westeurope.openai.azure.com"[-32:])
    )
    assert provider_of("https://api.openai.com/v1/") == "openai"
