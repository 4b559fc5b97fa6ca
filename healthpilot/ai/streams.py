"""Streams that are recorded when they end, however they end."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any

from healthpilot.ai.call import Call
from healthpilot.ai.usage import Usage, usage_of


class StreamCutOff(Exception):  # noqa: N818 - reads as what happened
    """A stream was left before its end."""


class Watched:
    """What a stream told so far: the model and, mostly at its very end, the usage."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.model = call.model
        self.usage: Usage | None = None
        self.is_recorded = False

    def see(self, event: Any) -> None:
        """Look at one chunk, or at an event of Responses, which carries the whole response at its end."""
        whole = getattr(event, "response", event)
        self.model = str(getattr(whole, "model", None) or self.model)
        self.usage = usage_of(whole) or self.usage

    def end(self, error: BaseException | None = None) -> None:
        """Record the call, once."""
        if self.is_recorded:
            return
        self.is_recorded = True
        if error is not None:
            self.call.fail(error, self.usage)
        else:
            code = None if self.usage else "usage_not_stated"
            self.call.finish(self.usage or Usage(), model=self.model, error_code=code)


class MeteredStream(Watched):
    """A stream's events, as the client gives them."""

    def __init__(self, call: Call, stream: Any) -> None:
        super().__init__(call)
        self.stream = stream
        self.events = self.watched()

    def __iter__(self) -> Iterator[Any]:
        return self.events

    def __next__(self) -> Any:
        return next(self.events)

    def watched(self) -> Iterator[Any]:
        try:
            for event in self.stream:
                self.see(event)
                yield event
        except GeneratorExit:
            self.end(StreamCutOff())
            raise
        except BaseException as error:
            self.end(error)
            raise
        self.end()

    def __enter__(self) -> "MeteredStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a stream that was not read to its end is recorded as cut off."""
        self.stream.close()
        self.end(StreamCutOff())


class AsyncMeteredStream(Watched):
    """As MeteredStream, for asyncio."""

    def __init__(self, call: Call, stream: Any) -> None:
        super().__init__(call)
        self.stream = stream
        self.events = self.watched()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.events

    async def watched(self) -> AsyncIterator[Any]:
        try:
            async for event in self.stream:
                self.see(event)
                yield event
        except GeneratorExit:
            self.end(StreamCutOff())
            raise
        except BaseException as error:
            self.end(error)
            raise
        self.end()

    async def __aenter__(self) -> "AsyncMeteredStream":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; a stream that was not read to its end is recorded as cut off."""
        await self.stream.close()
        self.end(StreamCutOff())
