"""Fixtures of the tests with a real Celery worker."""

from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings

from tests.telemetry.celery_events.app import PREFIX
from tests.telemetry.celery_events.worker import Worker

StartWorker = Callable[..., Worker]


@pytest.fixture
def start_worker(recording: None) -> Iterator[StartWorker]:
    """Start workers of the shop, whose queue is empty at first."""
    forget_messages()
    workers: list[Worker] = []

    def start(*arguments: str, **environment: str) -> Worker:
        workers.append(Worker(*arguments, **environment))
        return workers[-1].start()

    yield start
    for worker in workers:
        worker.clear_away()


def forget_messages() -> None:
    """Delete what earlier tests left with the broker."""
    broker = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])
    for key in broker.scan_iter(f"{PREFIX}*"):
        broker.delete(key)
    broker.close()
