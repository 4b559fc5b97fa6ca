"""The OpenAI client with its three ways of asking, each call recorded and admitted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from openai import AsyncOpenAI, OpenAI
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from healthpilot.admission import BudgetDeferred
from healthpilot.ai.actor import Actor
from healthpilot.ai.call import Call, asks_usage, in_thread, provider_of, with_usage
from healthpilot.ai.streams import AsyncMeteredStream, MeteredStream

__all__ = ["Actor", "AsyncMeteredOpenAI", "BudgetDeferred", "MeteredOpenAI"]

# Built without validation, as the client does: a provider may leave out what the types ask for.
TYPES: Final[dict[str, Any]] = {
    "responses": Response,
    "chat": ChatCompletion,
    "embeddings": CreateEmbeddingResponse,
}


@dataclass(frozen=True)
class Endpoint:
    """One way of asking: `create` as the client has it, with two options of ours."""

    actor: Actor
    shape: str
    provider: str
    ask: Callable[..., Any]

    def create(self, *, context_type: str, skip_unchanged: bool = True, **options: Any) -> Any:
        """Return what the client's own `create` returns.

        Args:
            context_type: what the call is for, at most 32 characters.
            skip_unchanged: return the earlier answer, without a call, when the last question of this user and
                context was the same. Streams are always made.
            options: the client's own.

        Raises:
            BudgetDeferred: when a budget has no room. Else what the client raises.
        """
        call = self.call(context_type, skip_unchanged, options)
        if (kept := call.earlier()) is not None:
            return TYPES[self.shape].construct(**kept)
        call.admit()
        try:
            response = self.ask(**call.options)
        except BaseException as error:
            call.fail(error)
            raise
        if call.options.get("stream"):
            return MeteredStream(call, response)
        call.succeed(response)
        return response

    def call(self, context_type: str, skip_unchanged: bool, options: dict[str, Any]) -> Call:
        """Return the call that these options make."""
        adds_usage = not asks_usage(self.shape, options)
        told = with_usage(options) if adds_usage else dict(options)
        return Call(
            self.actor, context_type, self.shape, self.provider, told, skip_unchanged, adds_usage=adds_usage
        )


@dataclass(frozen=True)
class AsyncEndpoint(Endpoint):
    """As Endpoint, to be awaited; reads and writes of answers and budgets happen in threads."""

    ask: Callable[..., Awaitable[Any]]

    async def create(self, *, context_type: str, skip_unchanged: bool = True, **options: Any) -> Any:
        """Return, awaited, what Endpoint.create returns."""
        call = self.call(context_type, skip_unchanged, options)
        if (kept := await in_thread(call.earlier)) is not None:
            return TYPES[self.shape].construct(**kept)
        await in_thread(call.admit)
        try:
            response = await self.ask(**call.options)
        except BaseException as error:
            call.fail(error)
            raise
        if call.options.get("stream"):
            return AsyncMeteredStream(call, response)
        await in_thread(call.succeed, response)
        return response


@dataclass(frozen=True)
class Chat:
    """The client's `chat`."""

    completions: Any


class MeteredOpenAI:
    """An OpenAI client for one actor: `responses`, `chat.completions` and `embeddings`."""

    def __init__(self, actor: Actor, client: OpenAI | None = None) -> None:
        self.client = client or OpenAI()
        provider = provider_of(self.client.base_url)
        self.responses = Endpoint(actor, "responses", provider, self.client.responses.create)
        self.chat = Chat(Endpoint(actor, "chat", provider, self.client.chat.completions.create))
        self.embeddings = Endpoint(actor, "embeddings", provider, self.client.embeddings.create)


class AsyncMeteredOpenAI:
    """As MeteredOpenAI, over the client for asyncio."""

    def __init__(self, actor: Actor, client: AsyncOpenAI | None = None) -> None:
        self.client = client or AsyncOpenAI()
        provider = provider_of(self.client.base_url)
        self.responses = AsyncEndpoint(actor, "responses", provider, self.client.responses.create)
        self.chat = Chat(AsyncEndpoint(actor, "chat", provider, self.client.chat.completions.create))
        self.embeddings = AsyncEndpoint(actor, "embeddings", provider, self.client.embeddings.create)
