"""G11: worker and collector, then beat, stand still; each is told in time, by cause, and no page is green."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil

from tests.faults.processes import wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute
from tests.receiver import SECRET, Receiver, receiving

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("alert_transitions", "alerts", "alert_notifications", "status_leases", "status_signs",
          "status_canaries", "status_snapshots_1m")  # fmt: skip
YELLOW_S, RED_S, NOTICED_S = 120, 300, 300
# The watchdog looks every fifteen seconds, and a notice waits thirty for company.
SPARE_S = 60


def try_it(size: Size) -> str:
    """Stop each process in real time; the tiny size only shows that everything is seen while it runs."""
    with receiving() as receiver, parts(receiver) as running:
        began = everything_is_well()
        if size == "tiny":
            return f"seen to be well {began:.0f} s after the start"
        seen = [stopped(running, "worker", "workers", receiver), stopped(running, "beat", "beat", receiver)]
    return "; ".join(seen)


@contextlib.contextmanager
def parts(receiver: Receiver) -> Iterator[dict[str, psutil.Process]]:
    """Run worker, beat and watchdog as ./run up does, told where to send alerts."""
    import redis
    from django.conf import settings

    empty(*TABLES)
    redis.Redis.from_url(settings.REDIS_ADDRESS).flushall()
    folder = tempfile.TemporaryDirectory(prefix="hp-noticed-")
    told = {"ALERT_WEBHOOK_URL": receiver.url, "ALERT_WEBHOOK_SECRET": SECRET, "ALERT_ALLOW_PRIVATE": "1"}
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "healthpilot"]
    commands = {
        "worker": [*celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"],
        "beat": [*celery, "beat", "--schedule", f"{folder.name}/beat", "--pidfile="],
        "watchdog": [sys.executable, "manage.py", "watchdog"],
    }
    started = {}
    with open(f"{folder.name}/log", "wb") as log:
        for role, command in commands.items():
            environment = os.environ | told | {"HEALTHPILOT_ROLE": role}
            started[role] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
    try:
        yield {role: psutil.Process(process.pid) for role, process in started.items()}
    finally:
        for process in started.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
        folder.cleanup()


def everything_is_well() -> float:
    """Wait until the collector, the evaluator and the sender run and nothing is told; returns the seconds."""
    began = time.monotonic()
    wait_until(lambda: ages().keys() >= {"collector", "alerts", "sender"}, "every stage to run", 150)
    assert not fired(), f"something fired in a healthy system: {fired()}"
    return time.monotonic() - began


def ages() -> dict[str, float]:
    """Return the seconds since each stage did its work."""
    rows = execute(
        "SELECT name, extract(epoch FROM clock_timestamp() - done_at)::float8 FROM status_leases"
        " WHERE done_at IS NOT NULL"
    )
    return {str(name): float(str(age)) for name, age in rows}


def fired() -> dict[str, tuple[str, str]]:
    """Return severity and cause of what fired and is open, by rule."""
    rows = execute(
        "SELECT rule, severity, caused_by FROM alerts WHERE closed_at IS NULL AND fired_at IS NOT NULL"
    )
    return {str(rule): (str(severity), str(cause)) for rule, severity, cause in rows}


def told_of(receiver: Receiver, module: str) -> bool:
    return any(body["data"].get("module") == module for body in receiver.bodies)


def stopped(running: dict[str, psutil.Process], role: str, cause: str, receiver: Receiver) -> str:
    """Stop a process and all below it, wait until it is told, and let it go on."""
    from systemstatus.queries import newest_minute

    family = [running[role], *running[role].children(recursive=True)]
    for process in family:
        process.suspend()
    began = time.monotonic()
    wait_until(lambda: "collector.age" in fired(), "the collector's age", YELLOW_S + SPARE_S + 60)
    yellow_s = time.monotonic() - began
    wait_until(partial(told_of, receiver, cause), f"a notice of {cause}", NOTICED_S - yellow_s)
    told_s = time.monotonic() - began
    assert fired()["collector.age"][1] == cause, (
        f"the collector's silence was not put down to {cause}: {fired()}"
    )
    wait_until(lambda: fired()["collector.age"][0] == "critical", "red", RED_S + SPARE_S + 60 - told_s)
    red_s = time.monotonic() - began
    never_green()
    assert newest_minute() is not None
    for process in reversed(family):
        process.resume()
    wait_until(lambda: "collector.age" not in fired(), f"an end of it after {role} goes on", 240)
    over_s = time.monotonic() - began - red_s
    return (
        f"{role} stopped: yellow after {yellow_s:.0f} s, told with its cause after {told_s:.0f} s,"
        f" red after {red_s:.0f} s, over {over_s:.0f} s after it went on"
    )


def never_green() -> None:
    """Ask the page and the monitors' address as people do."""
    from django.contrib.auth.models import User
    from django.test import Client

    account, _ = User.objects.get_or_create(username="watcher", defaults={"is_staff": True})
    client = Client(SERVER_NAME="localhost")
    client.force_login(account)
    page = client.get("/admin/status/overview").content.decode()
    assert "is-error" in page or "Unknown" in page, "the page does not say that nothing is known"
    assert client.get("/healthz/collector").status_code == 503
