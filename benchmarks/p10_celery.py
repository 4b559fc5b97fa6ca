"""P10: Celery's throughput with every task recorded and shipped, against the same worker without telemetry.

Both workers have two prefork processes over Valkey and live side by side; one of them has work at a time.
Messages are published before the clock runs; it stops when the last one is done.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import redis
from celery import Celery
from celery.signals import before_task_publish
from django.conf import settings
from django.db import connection

from benchmarks.database import empty
from benchmarks.figures import Bench, Measurement
from benchmarks.sandbox import ROOT
from benchmarks.timing import alternate
from telemetry.celery_events import published

PROCESSES = 2
LOOK_S = 0.002
LIMIT_S = 300
TASK = "benchmarks.celery_app.nothing"
PREFIX = "bench:"


def measure(bench: Bench) -> Measurement:
    """Time the same number of tasks in turns, each turn on a full queue."""
    tasks = bench.sizes.tasks
    with worker(telemetry=True) as recorded, worker(telemetry=False) as plain:
        try:
            pairs = alternate(
                recorded.drain,
                plain.drain,
                runs=bench.sizes.runs,
                before=lambda: fill(tasks, recorded, plain),
            )
            seen = wait_for_events(tasks * (bench.sizes.runs + 1))
        finally:
            empty("telemetry_job_events", "telemetry_shipments")
    rates = f"{pairs.ours_rate(tasks):,.0f} against {pairs.peer_rate(tasks):,.0f} tasks/s"
    complete = seen == tasks * (bench.sizes.runs + 1)
    cpu_us = [1e6 * statistics.median(one.cpu_s) / tasks for one in (recorded, plain)]
    rates += f", {cpu_us[0]:,.0f} against {cpu_us[1]:,.0f} µs of the worker's CPU a task"
    note = f"{rates}, two processes; {seen:,} events stored{'' if complete else ', which is not all of them'}"
    return Measurement(pairs.speed, bench.sizes.runs, note, holds=complete)


class Worker:
    """A running worker whose queue is consumed only while it is asked to."""

    def __init__(self, app: Celery, queue: str, telemetry: bool, pid: int) -> None:
        self.app, self.queue, self.telemetry = app, queue, telemetry
        self.process = psutil.Process(pid)
        self.cpu_s: list[float] = []
        self.broker = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])
        self.node = f"{queue}@bench"

    def fill(self, tasks: int) -> None:
        """Publish messages, stamped only where the worker records."""
        if not self.telemetry:
            before_task_publish.disconnect(published.stamp, dispatch_uid="telemetry:stamp")
        try:
            with self.app.producer_pool.acquire() as producer:
                for _ in range(tasks):
                    self.app.send_task(TASK, queue=self.queue, producer=producer)
        finally:
            before_task_publish.connect(published.stamp, weak=False, dispatch_uid="telemetry:stamp")

    def drain(self) -> None:
        """Consume until nothing waits and nothing is at work, and note the CPU it took."""
        began = self.used_s()
        self.app.control.add_consumer(self.queue, destination=[self.node])
        deadline = time.monotonic() + LIMIT_S
        while self.broker.llen(f"{PREFIX}{self.queue}") or self.broker.zcard(f"{PREFIX}unacked_index"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.queue}: tasks are left after {LIMIT_S} s")
            time.sleep(LOOK_S)
        self.cpu_s.append(self.used_s() - began)

    def used_s(self) -> float:
        """Return the CPU seconds of the worker and its children so far."""
        times = [one.cpu_times() for one in [self.process, *self.process.children()]]
        return sum(one.user + one.system for one in times)

    def rest(self) -> None:
        """Stop consuming, and wait until that is so."""
        self.app.control.cancel_consumer(self.queue, destination=[self.node], reply=True, timeout=10)


def fill(tasks: int, recorded: Worker, plain: Worker) -> None:
    """Let both workers rest, wait until what was recorded is shipped, and fill both queues."""
    recorded.rest()
    plain.rest()
    settle()
    recorded.fill(tasks)
    plain.fill(tasks)


@contextmanager
def worker(*, telemetry: bool) -> Iterator[Worker]:
    """Start a worker and wait until it answers; it ends with the block."""
    queue = f"bench{int(telemetry)}"
    app = Celery("bench-publisher", broker=settings.CELERY_BROKER_URL, set_as_current=False)
    app.conf.broker_transport_options = {"global_keyprefix": PREFIX}
    extra = {"BENCH_TELEMETRY": str(int(telemetry)), "BENCH_BROKER": settings.CELERY_BROKER_URL}
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "benchmarks.celery_app", "worker"]
    command += [
        "--concurrency",
        str(PROCESSES),
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "error",
    ]
    process = subprocess.Popen(
        [*command, "--without-heartbeat", "--hostname", f"{queue}@bench", "-Q", f"idle{int(telemetry)}"],
        cwd=ROOT,
        env=environment(telemetry) | extra,
        start_new_session=True,
        stdout=subprocess.DEVNULL,  # what is printed here is the benchmark's own answer
    )
    try:
        wait_for_answer(app, f"{queue}@bench")
        yield Worker(app, queue, telemetry, process.pid)
    finally:
        process.terminate()
        process.wait(60)


def environment(telemetry: bool) -> dict[str, str]:
    """Return a worker's environment; where Celery finds Django's settings it sets up Django, and us too."""
    return {name: text for name, text in os.environ.items() if telemetry or name != "DJANGO_SETTINGS_MODULE"}


def wait_for_answer(app: Celery, node: str) -> None:
    """Wait until a worker answers; raises TimeoutError."""
    deadline = time.monotonic() + 60
    while not app.control.ping(destination=[node], timeout=1):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{node} does not start")


def stored() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM telemetry_job_events")
        row: Any = cursor.fetchone()
    return int(row[0])


def settle() -> None:
    """Wait until no more events arrive, so that none of our work falls into the peer's turn."""
    before = -1
    while (now := stored()) != before:
        before = now
        time.sleep(1)


def wait_for_events(expected: int) -> int:
    """Return how many events are stored, once all are or none came for a while."""
    settle()
    return stored()
