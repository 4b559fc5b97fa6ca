"""G12: Redis stopped, hung, full and emptied under a web server and a worker, which go on and recover."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from tests.faults.g07_budgets import forget_budgets, set_cap
from tests.faults.processes import wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

LASTS_S: Final = {"tiny": 3, "normal": 30, "full": 60}
BACK_WITHIN_S: Final = 60
# The smallest size runs beside the other promises, on a machine that has more to do than to answer.
PAGE_WITHIN_S: Final = {"tiny": 15, "normal": 5, "full": 5}
ROOT: Final = Path(__file__).resolve().parents[2]
BANNER: Final = "Redis does not answer"
CAP: Final = 40
WORK: Final[dict[str, Any]] = {"tier": "enterprise", "domain": "ai"}


@dataclass
class Seen:
    """What was noticed while Redis was away."""

    pages: int = 0
    slowest_s: float = 0
    banners: int = 0
    recorded: int = 0
    admitted: int = 0
    done: list[int] = field(default_factory=list)


def try_it(size: Size) -> str:
    """Break Redis in four ways while pages are read, events recorded, budgets asked and a job runs."""
    from tests.healthpilot.dataqueue import kinds
    from tests.healthpilot.dataqueue.worker import Worker

    execute(kinds.TABLE)
    told = []
    with (
        tempfile.TemporaryDirectory(prefix="hp-web-") as folder,
        web_server(Path(folder)) as port,
        Worker(beat=True, concurrency=2),
    ):
        for name, broken in (("stopped", stopped), ("hung", hung), ("full", full), ("emptied", emptied)):
            told.append(one_fault(name, broken, port, size))
    return "; ".join(told)


def one_fault(name: str, broken: Callable[[], Any], port: int, size: Size) -> str:
    """Break Redis in one way and say what went on meanwhile and how soon all was as before."""
    from tests.healthpilot.dataqueue.jobs import put

    lasts_s = LASTS_S[size]
    clean()
    with_something_to_show()
    cookie = signed_in()
    user = f"g12-{name}"
    when_answered(lambda: set_cap("user", user, CAP))
    running = put(payload={"batches": int(lasts_s + 12) * 4, "pause_s": 0.25})
    wait_until(lambda: done_of(running) > 0, "the worker to run a job", 60)
    seen = Seen()
    with broken():
        sent = put(payload={"batches": 1})
        end = time.monotonic() + lasts_s
        while time.monotonic() < end or len(seen.done) < 2:
            look(seen, port, cookie)
            work(seen, user)
            seen.done.append(done_of(running))
            time.sleep(0.25)
        rolled_up(seen, user)
    mended = time.monotonic()
    wait_until(lambda: all_done(running, sent), "both jobs to end", BACK_WITHIN_S)
    wait_until(lambda: BANNER not in page(port, cookie)[1], "the banner to go", BACK_WITHIN_S)
    took_s = time.monotonic() - mended
    assert seen.slowest_s < PAGE_WITHIN_S[size], f"a page took {seen.slowest_s:.1f} s"
    assert seen.done[-1] > seen.done[0], f"the running job stood still: {seen.done}"
    # What was admitted is known to PostgreSQL now, so the counters leave the rest and no more.
    admitted = seen.admitted + rest_of(user)
    assert admitted <= CAP, f"{admitted} admitted of {CAP}"
    counted_as_stored(user)
    if name != "emptied":
        assert seen.banners, f"no page warned while Redis was {name}"
    return (
        f"{name} {lasts_s} s: {seen.pages} pages, slowest {seen.slowest_s:.1f} s,"
        f" {seen.recorded} events recorded and stored, {admitted} of {CAP} admitted, back in {took_s:.0f} s"
    )


def when_answered(question: Callable[[], Any]) -> Any:
    """Ask until Redis answers: whoever was not answered in a second leaves it alone for some."""
    from costs.throttle.counters import CountersAway

    end = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            return question()
        except CountersAway:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def clean() -> None:
    """Begin a fault without what the one before left."""
    empty()
    forget_budgets()
    execute("TRUNCATE dataqueue_jobs, dataqueue_entries, test_rows")


def with_something_to_show() -> None:
    """Store and roll up one event, so that pages have figures, which Redis would keep."""
    from costs.days import local_today
    from costs.rollup import rollup_costs_for_date
    from tests.costs.events import job, store

    now = datetime.now(UTC)
    store(job(now, user_id="before", cpu_ms=1))
    rollup_costs_for_date(local_today(now))


def look(seen: Seen, port: int, cookie: str) -> None:
    """Read the cost page as a signed-in person and note how it came."""
    began = time.monotonic()
    status, html = page(port, cookie)
    assert status == 200, f"the page answered {status}"
    seen.pages += 1
    seen.banners += BANNER in html
    seen.slowest_s = max(seen.slowest_s, time.monotonic() - began)


def work(seen: Seen, user: str) -> None:
    """Ask the budget for one job, do it where it may, and record it."""
    from costs.throttle import check_budget_and_maybe_defer, settle
    from telemetry.record import record_job_event

    verdict = check_budget_and_maybe_defer(**WORK, user_id=user, est_cpu_ms=1)
    if not verdict:
        return
    seen.admitted += 1
    event = {"job_type": "g12", "user_id": user, "success": True, "cpu_ms": 1, **WORK}
    assert record_job_event(event), "record() took no event"
    settle(verdict, cpu_ms=1)
    seen.recorded += 1


def rolled_up(seen: Seen, user: str) -> None:
    """Roll today up while Redis is away, and find every recorded event in it."""
    from costs.days import local_today
    from costs.rollup import rollup_costs_for_date
    from telemetry import spool

    spool.close(10)
    rollup_costs_for_date(local_today(datetime.now(UTC)))
    rows = execute("SELECT jobs FROM cost_user_daily WHERE user_id = %s", [user])
    assert [int(str(jobs)) for (jobs,) in rows] == [seen.recorded], f"{rows} are not {seen.recorded}"


def rest_of(user: str) -> int:
    """Take what the budget still has and return how much that was."""
    from costs.throttle import check_budget_and_maybe_defer

    taken = 0
    while check_budget_and_maybe_defer(**WORK, user_id=user, est_cpu_ms=1):
        taken += 1
        assert taken <= CAP
    return taken


def counted_as_stored(user: str) -> None:
    """Compare the user's counters in Redis with PostgreSQL, after the comparison that beat makes."""
    from costs.days import local_today
    from costs.throttle import seeding, truth
    from costs.throttle.admission import state
    from costs.throttle.scopes import Scope

    day = local_today(datetime.now(UTC))
    when_answered(lambda: seeding.synchronise(state.counters))
    counted = when_answered(lambda: state.counters.of(f"{day}", Scope("user", user).name))
    assert counted is not None, "the user is not counted"
    stored = list(truth.exact_usage(Scope("user", user), day).today.each())
    assert counted[0] == stored, f"counted {counted[0]}, stored {stored}"


@contextmanager
def stopped() -> Iterator[None]:
    """Redis is not there."""
    from healthpilot import embedded

    embedded.valkey.stop(settings.HOME)
    try:
        yield
    finally:
        embedded.start(settings.HOME, parts=["valkey"], say=lambda line: None)


@contextmanager
def hung() -> Iterator[None]:
    """Redis takes connections and never answers."""
    pid = int((settings.HOME.valkey / "server.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def full() -> Iterator[None]:
    """Redis has no room for anything more."""
    client = redis_client()
    client.config_set("maxmemory", "1mb")
    try:
        yield
    finally:
        client.config_set("maxmemory", "0")


@contextmanager
def emptied() -> Iterator[None]:
    """Redis has lost all that it held."""
    redis_client().flushall()
    yield


def redis_client() -> Any:
    import redis

    return redis.Redis.from_url(settings.REDIS_ADDRESS)


@contextmanager
def web_server(folder: Path) -> Iterator[int]:
    """Run the web server of `./run up` on a free port and yield that."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener, (folder / "log").open("ab") as log:
        port, handle = int(listener.getsockname()[1]), listener.fileno()
        options = [
            "--bind",
            f"fd://{handle}",
            "--workers",
            "2",
            "--threads",
            "4",
            "--worker-class",
            "gthread",
        ]
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "healthpilot.wsgi", *options, "--no-control-socket"],
            cwd=ROOT,
            env=os.environ | {"HEALTHPILOT_ROLE": "web"},
            stdout=log,
            stderr=log,
            pass_fds=[handle],
        )
    try:
        wait_until(lambda: is_up(port), "the web server", 120)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=60)


def is_up(port: int) -> bool:
    try:
        return page(port, "", "/healthz/live")[0] == 200
    except OSError:
        return False


def page(port: int, cookie: str, path: str = "/admin/cost") -> tuple[int, str]:
    """Return the status and body of a page."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        link.request("GET", path, headers={"Cookie": f"sessionid={cookie}"})
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()


def signed_in() -> str:
    """Return the session of a staff account, made anew."""
    from django.contrib.auth.models import User
    from django.test import Client

    person, _ = User.objects.get_or_create(username="maren", defaults={"is_staff": True})
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


def done_of(job_id: int) -> int:
    return int(str(execute("SELECT done FROM dataqueue_jobs WHERE id = %s", [job_id])[0][0]))


def all_done(*job_ids: int) -> bool:
    sql = "SELECT count(*) FROM dataqueue_jobs WHERE id = ANY(%s) AND state = 'succeeded'"
    return execute(sql, [list(job_ids)]) == [(len(job_ids),)]
