"""Attempts that a signal cuts off are seen afterwards, once, with all that was known when they began."""

import os
import signal
from pathlib import Path

import psutil

from telemetry import attempts
from telemetry.models import JobEvent
from tests.faults.processes import wait_until
from tests.telemetry.celery_events import app as shop
from tests.telemetry.celery_events.conftest import StartWorker
from tests.telemetry.celery_events.worker import recorded

OWNER = {"telemetry": {"user_id": "u7", "tier": "pro", "domain": "orders"}}


def at_work() -> list[dict[str, object]]:
    """Return what is noted of the attempts at work on this machine."""
    found = []
    for path in attempts.folder().glob("*.open"):
        file = os.open(path, os.O_RDONLY)
        found += [event for _, event in attempts.read_slots(file)]
        os.close(file)
    return found


def test_a_child_killed_in_the_middle_is_one_failed_attempt(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker("--concurrency", "1")
    before = worker.children()
    sent = shop.die.apply_async(headers=OWNER)
    (event,) = recorded(1)
    assert (event.job_id, event.success, event.error_code) == (sent.id, False, "WorkerLost")
    assert (event.user_id, event.tier, event.domain, event.attempt) == ("u7", "pro", "orders", 1)
    assert event.started_at is not None
    assert event.queue_wait_ms is not None
    assert event.duration_ms is None
    # Another process may tell of it before Celery has put a new child in the old one's place.
    wait_until(lambda: worker.children() != before, "a new child")
    # The next one is delivered again by its broker, and says so.
    shop.die_once.delay(str(tmp_path / "died"))
    first, second = recorded(2, job_type__contains="die_once")
    told = {(one.attempt, one.success, one.error_code) for one in (first, second)}
    assert told == {(1, False, "WorkerLost"), (2, True, None)}
    assert first.job_id == second.job_id


def test_a_whole_worker_killed_is_seen_by_the_next_one(start_worker: StartWorker) -> None:
    worker = start_worker("--concurrency", "2")
    for number in range(2):
        shop.nap.apply_async((60 + number,), headers=OWNER)
    shop.add.delay(1, 2)
    wait_until(lambda: len(at_work()) == 2, "both naps at work")
    started = {event["started_at"] for event in at_work()}
    children = worker.children()
    worker.send(signal.SIGKILL)
    worker.wait_for_end(10)
    psutil.wait_procs(children, timeout=10)
    assert not JobEvent.objects.filter(job_type__contains="nap").exists()
    start_worker("--concurrency", "2")
    events = recorded(2, job_type__contains="nap")
    assert {event.started_at for event in events} == started
    assert {(event.user_id, event.tier, event.error_code) for event in events} == {
        ("u7", "pro", "WorkerLost")
    }


def test_a_task_terminated_on_request_says_so(start_worker: StartWorker) -> None:
    start_worker("--concurrency", "1")
    sent = shop.nap.delay(60)
    wait_until(lambda: len(at_work()) == 1, "the nap at work")
    waiting = shop.nap.delay(61)
    shop.app.control.revoke([sent.id, waiting.id], terminate=True, signal="SIGKILL")
    events = recorded(2)
    assert {(event.job_id, event.error_code) for event in events} == {
        (sent.id, "Terminated"),
        (waiting.id, "TaskRevokedError"),
    }
