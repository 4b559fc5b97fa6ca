"""A worker that is asked to end does so within its grace time, and what it recorded is stored.

The bound is what the parts may take together, not what they usually take: a child and the main process flush
for TELEMETRY_CLOSE_S each, the interpreter's end as long again, billiard's children sleep a second before
they leave. The rest is for a machine that does other work.
"""

import os
import socket
from collections.abc import Iterator

import pytest

from telemetry.attempts import folder
from telemetry.celery_events.names import job_type_of
from telemetry.models import JobEvent
from tests.faults.processes import wait_until
from tests.telemetry.celery_events import app as shop
from tests.telemetry.celery_events.conftest import StartWorker
from tests.telemetry.celery_events.test_killed import at_work
from tests.telemetry.celery_events.worker import recorded

GRACE_S = 30
NAP_S = 2
NAP = job_type_of(shop.nap.name)


def test_it_finishes_the_task_at_work_and_ships_everything_before_it_ends(start_worker: StartWorker) -> None:
    worker = start_worker("--concurrency", "2")
    for number in range(20):
        shop.add.delay(number, 1)
    shop.nap.delay(NAP_S)
    wait_until(lambda: [event["job_type"] for event in at_work()] == [NAP], "the nap at work")
    took_s = worker.end(GRACE_S)
    print(f"ended in {took_s:.1f} s, {NAP_S} of them asleep")
    assert JobEvent.objects.filter(success=True).count() == 21
    assert at_work() == []


def test_a_soft_shutdown_cuts_off_what_takes_too_long_and_tells_of_it(start_worker: StartWorker) -> None:
    worker = start_worker("--concurrency", "1", REMAP_SIGTERM="SIGQUIT", SHOP_SOFT_SHUTDOWN_S="1")
    shop.add.delay(1, 2)
    recorded(1)
    shop.nap.delay(60)
    # Not before the main process knows that the nap began: a cold shutdown that comes between makes Celery
    # wait for the task instead of cutting it off, until its supervisor kills it (and the next worker tells).
    wait_until(lambda: any((shop.app.control.inspect().active() or {}).values()), "the nap at work")
    worker.end(GRACE_S)
    start_worker("--concurrency", "1")
    (nap,) = recorded(1, job_type__contains="nap")
    assert nap.success is False
    assert nap.error_code in {"Terminated", "WorkerLost"}


@pytest.fixture
def silent_database() -> Iterator[str]:
    """The address of something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"postgresql://user@127.0.0.1:{server.getsockname()[1]}/nobody"


@pytest.mark.parametrize("away", ["refuses", "is silent"])
def test_without_the_database_it_ends_in_time_and_the_next_one_stores_it_all(
    start_worker: StartWorker, silent_database: str, away: str
) -> None:
    gone = silent_database if away == "is silent" else "postgresql://user@127.0.0.1:9/nobody"
    worker = start_worker("--concurrency", "2", DATABASE_URL=gone)
    for number in range(20):
        shop.add.delay(number, 1)
    shop.nap.delay(NAP_S)
    worker.wait_for_log(f"succeeded in {NAP_S}.")
    took_s = worker.end(GRACE_S)
    print(f"ended in {took_s:.1f} s")
    assert not JobEvent.objects.exists()
    start_worker("--concurrency", "1")
    assert len({event.job_id for event in recorded(21)}) == 21


def test_children_forked_while_another_thread_holds_every_lock_end_too(start_worker: StartWorker) -> None:
    """The known hang: a lock held by a thread at the moment of a fork stays locked in the child for ever."""
    worker = start_worker("--concurrency", "2", "--max-tasks-per-child", "1", SHOP_BUSY_PARENT="1")
    for number in range(12):
        shop.add.delay(number, 1)
    recorded(12, limit_s=90)
    worker.end(GRACE_S)


def test_nothing_of_an_ended_worker_stays_in_the_spool(start_worker: StartWorker) -> None:
    worker = start_worker("--concurrency", "1")
    shop.add.delay(1, 2)
    recorded(1)
    pids = {str(child.pid) for child in worker.children()} | {str(worker.process and worker.process.pid)}
    worker.end(GRACE_S)
    left = [name for name in os.listdir(folder()) if set(name.replace(".", "-").split("-")) & pids]
    assert left == []
