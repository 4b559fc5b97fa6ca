"""Every way a task ends: in a real worker with processes, in one with threads, and called eagerly."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from telemetry.models import JobEvent, LlmEvent
from telemetry.record import dropped_events
from tests.telemetry.celery_events import app as shop
from tests.telemetry.celery_events.conftest import StartWorker
from tests.telemetry.celery_events.worker import recorded
from tests.telemetry.shipped import shipped

pytestmark = pytest.mark.usefixtures("recording")


def told(events: list[JobEvent]) -> list[tuple[str, int, str]]:
    """Return task, attempt and error code of each event, sorted; a success is 'ok'."""
    return sorted(
        (event.job_type.rsplit(".")[-1].partition("~")[0], event.attempt, event.error_code or "ok")
        for event in events
    )


def test_every_ending_of_a_task_is_recorded_once(start_worker: StartWorker) -> None:
    start_worker("--concurrency", "2")
    for task in (shop.fail, shop.stumble, shop.stumble_once, shop.ignore, shop.reject, shop.leave):
        task.delay()
    for task in (shop.unseen, shop.too_slow, shop.much_too_slow):
        task.delay()
    shop.add.delay(1, 2)
    shop.add.apply_async((1, 2), expires=0.001)
    events = recorded(13)
    assert told(events) == [
        ("add", 1, "Expired"),
        ("add", 1, "ok"),
        ("fail", 1, "LookupError"),
        ("ignore", 1, "ok"),
        ("leave", 1, "SystemExit"),
        ("much_too_slow", 1, "TimeLimitExceeded"),
        ("reject", 1, "Reject"),
        ("stumble", 1, "ConnectionError"),
        ("stumble", 2, "ConnectionError"),
        ("stumble", 3, "ConnectionError"),
        ("stumble_once", 1, "TimeoutError"),
        ("stumble_once", 2, "TimeoutError"),
        ("too_slow", 1, "SoftTimeLimitExceeded"),
    ]
    assert all(event.success == (event.error_code is None) for event in events)
    assert len({event.job_id for event in events if "stumble~" in event.job_type}) == 1


def test_what_a_task_took_and_how_long_it_waited_is_recorded(start_worker: StartWorker) -> None:
    User.objects.bulk_create(User(username=f"user{n}") for n in range(3))
    sent = datetime.now(UTC)
    waiting = shop.count_users.delay()
    later = shop.count_users.apply_async(countdown=1)
    start_worker("--concurrency", "1")
    event, late = recorded(2)
    assert (event.job_id, late.job_id) == (waiting.id, later.id)
    assert (event.rows_read, event.rows_written) == (3, 0)
    assert event.mem_mb_peak > 10
    assert event.queued_at is not None
    assert event.started_at is not None
    assert event.finished_at is not None
    assert sent <= event.queued_at <= event.started_at <= event.finished_at == event.created_at
    assert event.queue_wait_ms == (event.started_at - event.queued_at) // timedelta(milliseconds=1)
    assert event.queue_wait_ms > 500
    assert event.duration_ms is not None
    assert event.duration_ms < 30_000
    # A countdown is no wait: the queue had it from when it was due.
    assert late.queued_at is not None
    assert late.queued_at >= sent + timedelta(seconds=1)


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_other_pools_record_as_well_and_ship_at_their_end(start_worker: StartWorker, pool: str) -> None:
    worker = start_worker("--pool", pool, "--concurrency", "4")
    for number in range(8):
        shop.add.apply_async((number, 1), headers={"telemetry": {"user_id": f"u{number}"}})
    shop.fail.delay()
    recorded(9)
    worker.end(30)
    assert set(shipped(JobEvent).filter(success=True).values_list("user_id", flat=True)) == {
        f"u{number}" for number in range(8)
    }


def test_eager_tasks_are_recorded_and_their_errors_go_on() -> None:
    assert shop.add.apply((1, 2)).get() == 3
    with pytest.raises(LookupError):
        shop.fail.apply(throw=True)
    shop.stumble.apply()
    assert told(list(shipped(JobEvent).all())) == [
        ("add", 1, "ok"),
        ("fail", 1, "LookupError"),
        ("stumble", 1, "ConnectionError"),
        ("stumble", 2, "ConnectionError"),
        ("stumble", 3, "ConnectionError"),
    ]
    assert dropped_events() == {}


def test_a_function_called_as_one_is_no_task() -> None:
    assert shop.add(1, 2) == 3
    assert not shipped(JobEvent).exists()


def test_calls_that_a_task_records_are_beside_it() -> None:
    shop.app.conf.task_always_eager = True
    try:
        with_user = {"telemetry": {"user_id": "u9", "tier": "pro", "domain": "orders"}}
        shop.order.apply_async(("u9",), headers=with_user)
    finally:
        shop.app.conf.task_always_eager = False
    assert shipped(LlmEvent).get().user_id == "u9"
    owners = set(shipped(JobEvent).values_list("job_type", "user_id", "tier", "domain"))
    assert {owner[1:] for owner in owners} == {("u9", "pro", "orders")}
    assert len(owners) == 2
