"""Recording, as applications use it: wrap a job, record a call, ask what could not be recorded."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from telemetry.drops import dropped_events
from telemetry.intake import record
from telemetry.jobs import JobTelemetry
from telemetry.spool import close, flush

__all__ = [
    "close",
    "dropped_events",
    "flush",
    "record_job_event",
    "record_llm_event",
    "with_job_telemetry",
]

T = TypeVar("T")


@overload
def with_job_telemetry(job_name: str, user_ctx: Any) -> JobTelemetry: ...


@overload
def with_job_telemetry(job_name: str, user_ctx: Any, fn: Callable[[], T]) -> T: ...


def with_job_telemetry(job_name: str, user_ctx: Any, fn: Callable[[], T] | None = None) -> JobTelemetry | T:
    """Run a job and record what it took: duration, CPU, memory, rows, queue wait, attempt, error.

    With `fn` calls it and returns what it returns (a coroutine, to be awaited, when it is async). Without,
    returns a decorator that is also a context manager, `with` and `async with`. Whatever the job raises
    goes on unchanged, after a failed event with the exception's class name as error_code. Telemetry itself
    never raises into the job.

    CPU is that of the job's own thread, or of the coroutine's own steps; in `async with`, of the thread
    while the block runs, other coroutines' work included. Rows are those of the statements the job runs
    through Django, nested jobs' included; COPY and threads that the job starts itself are not seen. The
    memory high-water is the process's; `mem_is_process` tells when other jobs ran side by side, or the
    system would not reset it.

    Args:
        job_name: the job's type, at most 40 characters. user_ctx: a mapping or an object with user_id, tier
        and domain, and if known job_id, queued_at (an aware
            datetime) and attempt (from 1); or a callable that returns one from the job's arguments.
        fn: the job, called without arguments.

    Raises:
        TypeError: for a generator function, which runs in pieces: wrap the loop that uses it.
    """
    job = JobTelemetry(job_name, user_ctx)
    return job if fn is None else job(fn)()


def record_llm_event(evt: Mapping[str, Any]) -> bool:
    """Record an LLM call, or one that was skipped; returns True only when the event survives kill -9.

    Never raises into the host: an event that breaks a rule or cannot be kept returns False and is counted in
    dropped_events(). It is appended to a file in HEALTHPILOT_VAR/spool, which takes microseconds and neither
    waits for the database nor takes part in the host's transaction; a thread of this process ships it within
    about a second. It survives the process, not a crash or power loss of the machine.

    Args:
        evt: user_id, tier, llm_model, context_type, input_tokens (cached ones included), output_tokens
        (reasoning
            included); and where known domain, provider, job_id, cache_hit, cached_input_tokens,
            reasoning_tokens, avoided_input_tokens, avoided_output_tokens, duration_ms, success, error_code.
            created_at is now unless given.
    """
    return record("llm", evt)


def record_job_event(evt: Mapping[str, Any]) -> bool:
    """Record one attempt of a job that was measured elsewhere; returns True only when it survives kill -9.

    As record_llm_event, for the columns of a job: job_type, user_id, tier, domain, success; and where known
    job_id, queued_at, started_at, finished_at, duration_ms, queue_wait_ms, error_code, attempt, rows_read,
    rows_written, cpu_ms, mem_mb_peak, mem_is_process. created_at is the end of the job, or now.
    """
    return record("job", evt)
