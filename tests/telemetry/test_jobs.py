"""Jobs wrapped by with_job_telemetry: every form, every end."""

import asyncio
import threading
import time
from collections.abc import Generator, Iterator
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from telemetry.models import JobEvent
from telemetry.record import dropped_events, with_job_telemetry
from tests.telemetry.shipped import shipped

CONTEXT = {"user_id": "u1", "tier": "pro", "domain": "billing"}

pytestmark = pytest.mark.usefixtures("recording")


class Interrupted(BaseException):
    """As KeyboardInterrupt, but no test runner listens to it."""


def endings() -> list[tuple[str, bool, str | None]]:
    return list(shipped(JobEvent).order_by("id").values_list("job_type", "success", "error_code"))


def test_a_decorated_function_is_recorded_at_every_call() -> None:
    @with_job_telemetry("add", CONTEXT)
    def add(a: int, *, b: int) -> int:
        """Add."""
        return a + b

    assert (add(1, b=2), add(3, b=4)) == (3, 7)
    with pytest.raises(TypeError):
        add(1, b="2")  # type: ignore[arg-type] # the wrong type is the test
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert endings() == [("add", True, None), ("add", True, None), ("add", False, "TypeError")]


def test_a_block_is_recorded_and_its_exception_goes_on() -> None:
    with with_job_telemetry("block", CONTEXT):
        pass
    with pytest.raises(KeyError), with_job_telemetry("block", CONTEXT):
        raise KeyError
    assert endings() == [("block", True, None), ("block", False, "KeyError")]


def test_one_telemetry_may_be_entered_inside_itself() -> None:
    job = with_job_telemetry("again", CONTEXT)
    with job, pytest.raises(KeyError), job:
        raise KeyError
    assert endings() == [("again", False, "KeyError"), ("again", True, None)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, Interrupted])
def test_what_ends_a_process_is_recorded_as_failure_and_goes_on(error: type[BaseException]) -> None:
    raised = error()

    def stopped() -> None:
        raise raised

    with pytest.raises(error) as caught:
        with_job_telemetry("stopped", CONTEXT, stopped)
    assert caught.value is raised
    assert endings() == [("stopped", False, error.__name__)]


def test_an_exception_with_an_odd_name_is_recorded_too() -> None:
    for name in ("X" * 300, "Sch\u00f6n\n\x07", "\x07"):
        with pytest.raises(Exception, match="odd"), with_job_telemetry("odd", CONTEXT):
            raise type(name, (Exception,), {})("odd")
    assert [code for _, _, code in endings()] == ["X" * 64, "Sch\u00f6n", "Exception"]


def test_coroutines_are_recorded_in_every_form() -> None:
    @with_job_telemetry("decorated", lambda n: {**CONTEXT, "attempt": n})
    async def decorated(n: int) -> int:
        await asyncio.sleep(0)
        return n

    async def host() -> list[int]:
        async with with_job_telemetry("block", CONTEXT):
            await asyncio.sleep(0)
        called = await with_job_telemetry("called", CONTEXT, lambda: asyncio.sleep(0, 5))
        return [called, *await asyncio.gather(*(decorated(n) for n in range(1, 4)))]

    assert asyncio.run(host()) == [5, 1, 2, 3]
    assert endings()[:2] == [("block", True, None), ("called", True, None)]
    attempts = shipped(JobEvent).filter(job_type="decorated", success=True).values_list("attempt", flat=True)
    assert sorted(attempts) == [1, 2, 3]


def test_a_failing_coroutine_is_recorded_and_its_exception_goes_on() -> None:
    async def failing() -> None:
        await asyncio.sleep(0)
        raise LookupError("gone")

    async def host() -> None:
        with pytest.raises(LookupError, match="gone"):
            await with_job_telemetry("called", CONTEXT, failing)
        with pytest.raises(LookupError):
            async with with_job_telemetry("block", CONTEXT):
                await failing()

    asyncio.run(host())
    assert endings() == [("called", False, "LookupError"), ("block", False, "LookupError")]


def test_a_cancelled_coroutine_is_recorded_as_failed_and_stays_cancelled() -> None:
    @with_job_telemetry("endless", CONTEXT)
    async def endless() -> None:
        await asyncio.sleep(60)

    async def block() -> None:
        async with with_job_telemetry("block", CONTEXT):
            await asyncio.sleep(60)

    async def host() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(endless(), 0.05)
        task = asyncio.create_task(block())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(host())
    assert endings() == [("endless", False, "CancelledError"), ("block", False, "CancelledError")]


def test_a_coroutine_that_is_thrown_away_is_recorded_as_failed() -> None:
    class Forever:
        def __await__(self) -> Generator[None]:
            yield

    async def endless() -> None:
        await Forever()

    async def block() -> None:
        async with with_job_telemetry("block", CONTEXT):
            await Forever()

    def throw_away() -> None:
        for coroutine in (with_job_telemetry("called", CONTEXT, endless), block()):
            coroutine.send(None)
            coroutine.close()

    async def host() -> None:
        throw_away()

    throw_away()
    asyncio.run(host())
    assert endings() == [("called", False, "GeneratorExit"), ("block", False, "GeneratorExit")] * 2
    assert dropped_events() == {}


def test_a_coroutine_may_be_driven_without_asyncio() -> None:
    async def three() -> int:
        return 3

    with pytest.raises(StopIteration) as end:
        with_job_telemetry("called", CONTEXT, three).send(None)
    assert end.value.value == 3
    assert endings() == [("called", True, None)]
    assert dropped_events() == {}


def test_a_coroutine_may_catch_what_is_thrown_into_it() -> None:
    @with_job_telemetry("stubborn", CONTEXT)
    async def stubborn() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "finished all the same"

    async def host() -> str:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0.01)
        task.cancel()
        return await task

    assert asyncio.run(host()) == "finished all the same"
    assert endings() == [("stubborn", True, None)]


def test_generators_are_refused_where_they_are_wrapped() -> None:
    def pieces() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="wrap the loop"):
        with_job_telemetry("pieces", CONTEXT)(pieces)
    with pytest.raises(TypeError, match="wrap the loop"):
        with_job_telemetry("pieces", CONTEXT, pieces)


def test_a_user_context_may_be_a_mapping_an_object_or_a_callable() -> None:
    now = datetime.now(UTC)
    full = {
        **CONTEXT,
        "job_id": "j1",
        "attempt": 2,
        "queued_at": now - timedelta(seconds=3),
        "ignored": object(),
    }
    for context in (full, SimpleNamespace(**full), lambda: full, lambda: SimpleNamespace(**full)):
        with_job_telemetry("sync", context, lambda: None)
    events = list(shipped(JobEvent).all())
    assert len(events) == 4
    for event in events:
        assert (event.job_id, event.attempt, event.queued_at) == ("j1", 2, full["queued_at"])
        assert event.queue_wait_ms is not None
        assert 3000 <= event.queue_wait_ms < 60_000


def test_a_queue_whose_clock_is_ahead_means_no_wait() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=2)
    with_job_telemetry("sync", {**CONTEXT, "queued_at": ahead}, lambda: None)
    assert shipped(JobEvent).get().queue_wait_ms == 0


class Broken:
    """An object none of whose attributes can be read."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "context",
    [
        None,
        7,
        {},
        {"user_id": ""},
        {**CONTEXT, "queued_at": "yesterday"},
        Broken(),
        lambda: 1 / 0,
        lambda extra: {},
    ],
    ids=["none", "number", "empty", "refused", "queued_at", "broken", "raising", "arguments"],
)
def test_a_bad_user_context_never_breaks_the_job(context: Any) -> None:
    assert with_job_telemetry("sync", context, lambda: "done") == "done"
    with pytest.raises(KeyError), with_job_telemetry("sync", context):
        raise KeyError
    assert sum(dropped_events().values()) == 2
    assert not shipped(JobEvent).exists()


def test_rows_are_counted_and_outer_jobs_include_the_inner_ones() -> None:
    with with_job_telemetry("outer", CONTEXT):
        User.objects.bulk_create(User(username=f"user{n}") for n in range(10))
        with with_job_telemetry("inner", CONTEXT):
            assert len(User.objects.all()[:4]) == 4
            User.objects.filter(username__in=["user1", "user2"]).update(first_name="x")
    figures = {event.job_type: (event.rows_read, event.rows_written) for event in shipped(JobEvent).all()}
    assert figures == {"inner": (4, 2), "outer": (4, 12)}


def test_cpu_is_the_jobs_own_and_not_the_time_it_slept() -> None:
    with with_job_telemetry("busy", CONTEXT):
        spin(0.05)
        time.sleep(0.1)
    event = shipped(JobEvent).get()
    assert event.duration_ms is not None
    assert event.duration_ms >= 150
    assert 45 <= event.cpu_ms < 130


def test_cpu_of_a_coroutine_leaves_out_what_runs_between_its_steps() -> None:
    async def idle() -> None:
        for _ in range(5):
            await asyncio.sleep(0.001)

    async def host() -> None:
        waiting = asyncio.create_task(with_job_telemetry("idle", CONTEXT, idle))
        for _ in range(5):
            await asyncio.sleep(0)
            spin(0.03)
        await waiting

    asyncio.run(host())
    event = shipped(JobEvent).get()
    assert event.duration_ms is not None
    assert event.duration_ms >= 100
    assert event.cpu_ms <= 20


def spin(seconds: float) -> None:
    """Use the processor for this long."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_a_block_left_in_another_context_and_thread_than_it_was_entered_in_is_recorded() -> None:
    job = with_job_telemetry("apart", CONTEXT)
    copy_context().run(job.__enter__)
    leaving = threading.Thread(target=copy_context().run, args=(job.__exit__, None, None, None))
    leaving.start()
    leaving.join()
    assert endings() == [("apart", True, None)]
    assert JobEvent.objects.get().cpu_ms == 0  # no thread can ask for another's time
    assert dropped_events() == {}


def test_of_several_blocks_entered_elsewhere_none_is_taken_for_another_but_each_is_counted() -> None:
    job = with_job_telemetry("apart", CONTEXT)
    for _ in range(2):
        copy_context().run(job.__enter__)
    for _ in range(2):
        copy_context().run(job.__exit__, None, None, None)
    assert endings() == []
    assert dropped_events() == {"left in another context": 2}
