"""Wraps a job: runs it, measures it and records one event, whichever way it ends."""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import wraps
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar, cast

from telemetry.drops import drops
from telemetry.intake import count_drop, record
from telemetry.measure import Driven, Meter

CONTEXT_KEYS: Final = ("user_id", "tier", "domain", "job_id", "queued_at", "attempt")

P = ParamSpec("P")
T = TypeVar("T")


class Run:
    """One run of a job, from its start to the event that tells of it. Nothing here raises into the host."""

    def __init__(
        self, job: "JobTelemetry", args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ):
        self.job = job
        self.meter = Meter()
        self.context: dict[str, Any] = {}
        self.fault: Exception | None = None
        try:
            self.context = context_values(job.user_ctx, args, kwargs or {})
        except Exception as error:
            self.fault = error

    def start(self, *, cpu: bool = True) -> "Run":
        """Begin to measure; see Meter.start."""
        self.meter.start(cpu=cpu)
        return self

    def finish(self, error: BaseException | None) -> dict[str, Any] | None:
        """Stop measuring and return the event, or None when it cannot be told (which is counted)."""
        self.meter.stop()
        if self.fault is not None:
            count_drop(self.fault)
            return None
        # Both ends from one clock reading and a monotonic duration: a clock set back cannot turn them round.
        finished_at = datetime.now(UTC)
        started_at = finished_at - timedelta(seconds=self.meter.wall_s)
        return {
            **self.context,
            "queued_at": no_later_than(started_at, self.context.get("queued_at")),
            "job_type": self.job.name,
            "started_at": started_at,
            "finished_at": finished_at,
            "success": error is None,
            "error_code": error and error_code(error),
            **self.meter.figures(),
        }

    def settle(self, error: BaseException | None) -> None:
        """Record how the run ended."""
        if event := self.finish(error):
            record("job", event)


# The blocks that are open in this context, so that one JobTelemetry may be entered again inside itself or
# by others.
open_blocks: Final[ContextVar[tuple[Run, ...]]] = ContextVar("open_blocks", default=())


class JobTelemetry:
    """A named job and whose it is: a decorator and a context manager, sync and async."""

    def __init__(self, name: str, user_ctx: Any) -> None:
        self.name = name
        self.user_ctx = user_ctx
        self._entered: set[Run] = set()

    def __call__(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Return the function with every call measured and recorded; raises TypeError for a generator."""
        if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            raise TypeError(f"{self.name}: a generator runs in pieces, wrap the loop that uses it instead")

        @wraps(fn)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.call(fn, *args, **kwargs)

        if not inspect.iscoroutinefunction(fn):
            return wrapper

        @wraps(fn)
        async def async_wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
            return await self.drive(Run(self, args, kwargs), fn(*args, **kwargs))

        return cast(Callable[P, T], async_wrapper)

    def call(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function once; where it returns a coroutine, the job is that coroutine."""
        run = Run(self, args, kwargs).start()
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            run.settle(error)
            raise
        if inspect.iscoroutine(result):
            run.meter.stop()
            return cast(T, self.drive(Run(self, args, kwargs), result))
        run.settle(None)
        return result

    async def drive(self, run: Run, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Await the coroutine, its own CPU time counted and not that of the loop's other work."""
        run.start(cpu=False)
        try:
            result = await Driven(coroutine, run.meter)
        except BaseException as error:
            run.settle(error)
            raise
        run.settle(None)
        return result

    def __enter__(self) -> None:
        run = Run(self).start()
        self._entered.add(run)
        open_blocks.set((*open_blocks.get(), run))

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if run := self.leave():
            run.settle(error)
        else:
            drops.add("left in another context", f"{self.name} is open more than once: which run ended?")

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def leave(self) -> Run | None:
        """Return the innermost open block of this job in this context, else its only one in any other.

        A framework may run the two ends of a generator in two contexts, or threads, of their own.
        """
        blocks = open_blocks.get()
        mine = next((run for run in reversed(blocks) if run.job is self), None)
        elsewhere = tuple(self._entered)
        if mine is None and len(elsewhere) == 1:
            mine = elsewhere[0]
        open_blocks.set(tuple(run for run in blocks if run is not mine))
        self._entered.discard(cast(Run, mine))
        return mine


def context_values(user_ctx: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a user_ctx says of the job that was called with these arguments."""
    if type(user_ctx) is dict or isinstance(user_ctx, Mapping):
        return {key: user_ctx[key] for key in CONTEXT_KEYS if user_ctx.get(key) is not None}
    if callable(user_ctx) and not hasattr(user_ctx, "user_id"):
        return context_values(user_ctx(*args, **kwargs), (), {})
    values = {key: getattr(user_ctx, key, None) for key in CONTEXT_KEYS}
    return {key: value for key, value in values.items() if value is not None}


def no_later_than(started_at: datetime, queued_at: Any) -> Any:
    """Return when the job was queued; a queue whose clock is ahead means no wait, not a refused event."""
    if isinstance(queued_at, datetime) and queued_at.tzinfo is not None:
        return min(queued_at, started_at)
    return queued_at


def error_code(error: BaseException) -> str:
    """Return the exception's class name, fit for the column."""
    name = "".join(character for character in type(error).__name__ if character.isprintable())
    return name.strip()[:64].strip() or "Exception"
