"""A worker that is asked to end waits for the tasks at work, no longer than they take and not without end."""

import signal
import sys
import time
from collections.abc import Iterator

import pytest

from healthpilot import shutdown
from tests.faults.processes import wait_until
from tests.healthpilot.dataqueue.conftest import recording, rows_table  # noqa: F401 - fixtures
from tests.healthpilot.dataqueue.jobs import put, seen
from tests.healthpilot.dataqueue.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rows_table")]

SHORTLY_S = 15


class Impatient(Worker):
    """A worker whose tasks have a second to finish."""

    def __init__(self) -> None:
        super().__init__()
        arguments = self.command[self.command.index("worker") :]
        program = "from healthpilot import shutdown; shutdown.GRACE_S = 1; "
        program += f"from healthpilot.celery import app; app.worker_main({arguments})"
        self.command = [sys.executable, "-c", program]


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    with request.param() as running:
        yield running


def end(worker: Worker) -> float:
    """Ask it to end and return the seconds that took."""
    began = time.monotonic()
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(shutdown.GRACE_S + SHORTLY_S)
    return time.monotonic() - began


def at_work(seconds: int) -> int:
    """Put in a job of one batch that takes so long, and return it when a worker is at it."""
    job_id = put(payload={"batches": 1, "pause_s": seconds})
    wait_until(lambda: seen(job_id).state == "running", "the job at work", 60)
    return job_id


@pytest.mark.parametrize("worker", [Worker], indirect=True)
def test_it_ends_when_the_task_at_work_has_ended_and_not_later(worker: Worker) -> None:
    job_id = at_work(seconds=2)
    assert end(worker) < SHORTLY_S
    assert (seen(job_id).state, seen(job_id).done) == ("waiting", 1), "what it had done is kept"


@pytest.mark.parametrize("worker", [Impatient], indirect=True)
def test_what_takes_longer_than_the_grace_is_cut_off(worker: Worker) -> None:
    job_id = at_work(seconds=100)
    assert end(worker) < SHORTLY_S
    assert (seen(job_id).state, seen(job_id).done) == ("waiting", 0), "it is handed back"
