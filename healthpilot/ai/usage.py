"""What a response says it used: the only truth about tokens on a bill."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.fields import INT4_MAX


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed tokens: input includes cached ones, output includes reasoning."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0


def usage_of(response: Any) -> Usage | None:
    """Return the usage of a response, completion or embedding; None where it states none.

    Responses say input_tokens and output_tokens, Chat Completions and embeddings prompt_tokens and
    completion_tokens; the parts lie in *_tokens_details. A provider may leave parts out, or give the total
    alone, as some do of embeddings. One whose fields are all unknown, or absurd, states nothing.
    """
    told = getattr(response, "usage", None)
    if told is None:
        return None
    given, made = (
        stated(told, "input_tokens", "prompt_tokens"),
        stated(told, "output_tokens", "completion_tokens"),
    )
    if given is None and made is None and (given := stated(told, "total_tokens")) is None:
        return None
    tokens_in, tokens_out = given or 0, made or 0
    details_in = field(told, "input_tokens_details", "prompt_tokens_details")
    details_out = field(told, "output_tokens_details", "completion_tokens_details")
    return Usage(
        tokens_in,
        tokens_out,
        min(tokens_in, stated(details_in, "cached_tokens") or 0),
        min(tokens_out, stated(details_out, "reasoning_tokens") or 0),
    )


def failure_of(response: Any) -> str | None:
    """Return why a response of Responses failed, although it came; None where it did not."""
    if getattr(response, "status", None) not in {"failed", "cancelled"}:
        return None
    return str(getattr(getattr(response, "error", None), "code", None) or f"response_{response.status}")[:64]


def stated(holder: Any, *names: str) -> int | None:
    """Return a count that fits an event, None where none is stated; some proxies write 12.0 for 12."""
    value = field(holder, *names)
    is_count = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= INT4_MAX
    return int(value) if is_count and value == int(value) else None


def field(holder: Any, *names: str) -> Any:
    """Return the first of some fields that a holder has."""
    for name in names:
        value = holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
        if value is not None:
            return value
    return None
