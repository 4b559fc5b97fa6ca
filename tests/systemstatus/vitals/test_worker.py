"""A real worker with beat: it is seen working, and seen when it lives but takes nothing."""

import signal
from collections.abc import Iterator

import psutil
import pytest
import redis
from django.conf import settings

from healthpilot import configuration
from systemstatus.probes import workers
from systemstatus.vitals import canaries, signs
from tests.faults.processes import wait_until
from tests.healthpilot.dataqueue.worker import Worker


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    broker = redis.Redis.from_url(configuration.redis_address(settings.REDIS_URL))
    broker.flushall()
    broker.close()
    with Worker(beat=True) as running:
        yield running


def answered() -> set[str]:
    return {one.queue for one in canaries.standings(canaries.queues()) if not one.waits and one.answered_at}


def heartbeat_s() -> float:
    return max(one.age_s for one in signs.workers())


def test_a_worker_is_seen_and_its_queues_answer_until_it_stands_still(worker: Worker) -> None:
    wait_until(lambda: bool(signs.workers()), "a sign of the worker", 60)
    wait_until(lambda: bool(signs.seen("beat")), "a sign of beat")
    workers.canary()
    wait_until(lambda: answered() == set(canaries.queues()), "a canary from every queue")
    found = workers.workers()
    assert (found.state, found.detail["queues_without_worker"]) == ("ok", [])
    assert {"fold usage", "collect metrics"} <= {
        entry["name"] for entry in workers.schedule().detail["schedule"]
    }
    nightly = next(e for e in workers.schedule().detail["schedule"] if e["name"] == "celery.backend_cleanup")
    assert nightly["late_s"] == 0, "what is due at an hour of the day is not late before it"
    lateness = workers.schedule().values["queue.beat_lateness"]
    assert isinstance(lateness, float | int)
    assert lateness < 30

    family = [psutil.Process(worker.process.pid), *psutil.Process(worker.process.pid).children(True)]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    workers.canary()
    wait_until(lambda: heartbeat_s() > 12, "an old heartbeat")
    assert answered() == set(), "a worker that stands still took a message"
    for process in family:
        process.send_signal(signal.SIGCONT)
    wait_until(lambda: heartbeat_s() < 8, "a fresh heartbeat")
    wait_until(lambda: answered() == set(canaries.queues()), "the canaries that waited")


def test_a_worker_that_ends_in_order_says_so(worker: Worker) -> None:
    wait_until(lambda: bool(signs.workers()), "a sign of the worker", 60)
    worker.stop()
    assert not signs.workers()
    assert workers.workers().state == "failed"
