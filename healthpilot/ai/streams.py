"""Streams that are recorded when they end, however they end."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

from healthpilot.ai.call import Call, in_thread
from healthpilot.ai.estimates import characters_of
from healthpilot.ai.usage import Usage, failure_of, usage_of


class StreamCutOff(Exception):  # noqa: N818 - reads as what happened
    """A stream was left before its end."""


class Watched:
    """What a stream told so far: the model, how much text came, and mostly at its very end the usage.

    The rest is the client's own stream: what is not here is asked of it.
    """

    def __init__(self, call: Call, stream: Any) -> None:
        self.call = call
        self.stream = stream
        self.model = call.model
        self.usage: Usage | None = None
        self.characters = 0
        self.failure: str | None = None
        self.is_recorded = False

    def __getattr__(self, name: str) -> Any:
        if name in {"stream", "is_recorded"}:  # half made, as when the constructor failed
            raise AttributeError(name)
        return getattr(self.stream, name)

    def __del__(self) -> None:
        # Left without a word, and maybe never begun: the provider bills it all the same.
        with suppress(Exception):
            self.end(StreamCutOff())

    def see(self, event: Any) -> bool:
        """Look at one chunk, or at an event of Responses, which carries the whole response at its end.

        Returns whether the application is to see it: not the chunk that was asked for its usage only by us.
        """
        whole = getattr(event, "response", event)
        self.model = str(getattr(whole, "model", None) or self.model)
        usage = usage_of(whole)
        self.usage = usage or self.usage
        self.characters += characters_of(event)
        self.failure = failure_of(whole) or self.failure
        return not (self.call.adds_usage and usage and not getattr(event, "choices", True))

    def end(self, error: BaseException | None = None) -> None:
        """Record the call, once. Without a stated usage it is taken for what was asked and what came."""
        if self.is_recorded:
            return
        self.is_recorded = True
        code = self.failure if error is None else type(error).__name__
        self.call.end(self.usage, model=self.model, characters=self.characters, code=code)


class MeteredStream(Watched):
    """A stream's events, as the client gives them."""

    def __init__(self, call: Call, stream: Any) -> None:
        super().__init__(call, stream)
        self.events = iter(stream)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            while True:
                event = next(self.events)
                if self.see(event):
                    return event
        except StopIteration:
            self.end()
            raise
        except BaseException as error:
            self.end(error)
            raise

    def __enter__(self) -> "MeteredStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a stream that was not read to its end is recorded as cut off."""
        try:
            self.stream.close()
        finally:
            self.end(StreamCutOff())


class AsyncMeteredStream(Watched):
    """As MeteredStream, for asyncio."""

    def __init__(self, call: Call, stream: Any) -> None:
        super().__init__(call, stream)
        self.events = aiter(stream)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            while True:
                event = await anext(self.events)
                if self.see(event):
                    return event
        except StopAsyncIteration:
            await in_thread(self.end)
            raise
        except BaseException as error:
            self.end(error)
            raise

    async def __aenter__(self) -> "AsyncMeteredStream":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; a stream that was not read to its end is recorded as cut off."""
        try:
            await self.stream.close()
        finally:
            self.end(StreamCutOff())
