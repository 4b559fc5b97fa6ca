"""G13: PostgreSQL is locked, used up, frozen, stopped: clear 503s, no false success, each told for itself."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.faults import g13_layers
from tests.faults.processes import wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import execute
from tests.faults.watched import Minutes, shown, told
from tests.receiver import SECRET, Receiver, receiving

ROOT = Path(__file__).resolve().parents[2]
LOCKED_S = {"tiny": 12, "normal": 62, "full": 62}
BACK_WITHIN_S = 30
PATIENCE_S = 20.0
FROZEN_MOST_S = 11.0
EVENT = (
    b'{"kind": "llm", "user_id": "u", "tier": "free", "domain": "d", "llm_model": "m", "context_type": "c"}\n'
)


def try_it(size: Size) -> str:
    """Lock, use up, freeze, stop; ask pages and the API meanwhile, and the collector what it sees."""
    with receiving() as receiver, web() as port, watchdog(receiver):
        cookie = signed_in()
        assert status_of(port, "/admin/cost", cookie) == 200
        seen = [
            *g13_layers.try_it(size, port, cookie),
            locked(port, cookie, LOCKED_S[size]),
            used_up(port, cookie),
            frozen(port, cookie),
            redis_stopped(),
            stopped(port, cookie, receiver, waits=size != "tiny"),
        ]
    return "; ".join(seen)


@contextlib.contextmanager
def web() -> Iterator[int]:
    """Run the web server as production does."""
    from benchmarks.server import free_port, wait_for

    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "healthpilot.wsgi", "--bind", f"127.0.0.1:{port}"]
    options = ["--workers", "1", "--threads", "4", "--worker-class", "gthread", "--no-control-socket",
               "--log-level", "critical"]  # fmt: skip
    environment = os.environ | {"HEALTHPILOT_ROLE": "web", "HEALTHPILOT_PLAIN_STATIC": "1"}
    server = subprocess.Popen(
        [*command, *options], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


@contextlib.contextmanager
def watchdog(receiver: Receiver) -> Iterator[None]:
    """Run the watchdog, looking every two seconds."""
    told = {"ALERT_WEBHOOK_URL": receiver.url, "ALERT_WEBHOOK_SECRET": SECRET, "ALERT_ALLOW_PRIVATE": "1",
            "HEALTHPILOT_ROLE": "watchdog"}  # fmt: skip
    command = [sys.executable, "manage.py", "watchdog", "--every", "2"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def signed_in() -> str:
    from benchmarks.server import signed_in as session

    return f"sessionid={session()}"


def ask(
    port: int, path: str, cookie: str = "", *, method: str = "GET", body: bytes = b"", **headers: str
) -> Any:
    """Return an answer with its body read."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        link.request(method, path, body=body or None, headers={"Cookie": cookie, **headers})
        answer: Any = link.getresponse()
        answer.text = answer.read().decode(errors="replace")
        return answer
    finally:
        link.close()


def status_of(port: int, path: str, cookie: str = "") -> int:
    return int(ask(port, path, cookie).status)


def refused_clearly(port: int, cookie: str, *, page: str = "/admin/cost") -> float:
    """Ask for a page: 503 with Retry-After and words; returns the seconds that it took."""
    began = time.monotonic()
    answer = ask(port, page, cookie)
    assert answer.status == 503, f"{page} answered {answer.status}"
    assert answer.headers.get("Retry-After"), "no Retry-After"
    assert "The database does not answer" in answer.text, answer.text[:300]
    return time.monotonic() - began


def is_back(port: int, cookie: str) -> bool:
    try:
        return status_of(port, "/admin/cost", cookie) == 200 and status_of(port, "/healthz/ready") == 200
    except (OSError, http.client.HTTPException):
        return False


def locked(port: int, cookie: str, seconds: int) -> str:
    """Hold an exclusive lock on what every page reads, with somebody who waits for it."""
    minutes = Minutes()
    with psycopg.connect(os.environ["DATABASE_URL"]) as holder:
        holder.execute("LOCK TABLE auth_user IN ACCESS EXCLUSIVE MODE")
        waiter = threading.Thread(target=wait_for_table, daemon=True)
        waiter.start()
        began = time.monotonic()
        took_s = refused_clearly(port, cookie)
        assert status_of(port, "/healthz/live") == 200
        assert took_s < PATIENCE_S
        time.sleep(max(0, seconds - (time.monotonic() - began)))
        found = minutes.go(2 if seconds > 60 else 5)
        severity = told(found, "db.lock_wait", "postgres", severities=("warning", "critical"))
        holder.rollback()
    said = shown(minutes, "lock", status="error" if severity == "critical" else "warn")
    waiter.join(30)
    back_s = back_within(port, cookie)
    notice = f"503 after {took_s:.0f} s, told as db.lock_wait ({severity}), “{said}”"
    return f"locked {seconds} s: {notice}, back after {back_s:.0f} s"


def wait_for_table() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as link:
        link.execute("SELECT count(*) FROM auth_user")


def back_within(port: int, cookie: str) -> float:
    began = time.monotonic()
    wait_until(partial(is_back, port, cookie), "the pages to be back", BACK_WITHIN_S)
    return time.monotonic() - began


def used_up(port: int, cookie: str) -> str:
    """Open connections until the collector sees it, then until there is none left."""
    minutes = Minutes()
    most = int(str(execute("SELECT current_setting('max_connections')::int")[0][0]))
    held: list[psycopg.Connection] = []
    try:
        taken = int(
            str(execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")[0][0])
        )
        # One short of critical: the probes take the rest, and each finds room.
        held += [hold() for _ in range(-(-most * 9 // 10) - 1 - taken)]
        told(minutes.go(4), "db.connections", "postgres", severities=("critical",))
        said = shown(minutes, "of its connections in use")
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.append(hold())
        execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND application_name <> 'hold' AND pid <> pg_backend_pid()"
        )
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.append(hold())
        assert status_of(port, "/healthz/ready") == 503
        assert status_of(port, "/healthz/live") == 200
    finally:
        for link in held:
            link.close()
    back_s = back_within(port, cookie)
    notice = f"told as db.connections (critical), “{said}”"
    return f"{most} connections used up: {notice}, back after {back_s:.0f} s"


def hold() -> psycopg.Connection:
    """Return a connection that only takes up room."""
    return psycopg.connect(os.environ["DATABASE_URL"], application_name="hold", connect_timeout=5)


def frozen(port: int, cookie: str) -> str:
    """Stop every process of PostgreSQL where it stands: connections stay open and answer nothing."""
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    pid = int((settings.HOME.postgres / "postmaster.pid").read_text().split()[0])
    server = psutil.Process(pid)
    held = [server, *server.children(recursive=True)]
    for process in held:
        process.send_signal(signal.SIGSTOP)
    try:
        took_s = [refused_clearly(port, cookie) for _ in range(3)]
        answer = ask(port, "/api/admin/cost/summary", cookie)
        assert answer.status == 503, f"the API answered {answer.status}"
        assert answer.headers.get("Retry-After"), "no Retry-After"
        assert status_of(port, "/healthz/live") == 200
        assert status_of(port, "/healthz/ready") == 503
    finally:
        for process in reversed(held):
            process.send_signal(signal.SIGCONT)
    assert max(took_s) < FROZEN_MOST_S, took_s
    return f"frozen: 503 after {max(took_s):.1f} s, back after {back_within(port, cookie):.0f} s"


def redis_stopped() -> str:
    """Stop Redis: its own check is down, and what stands on it is put down to it."""
    from django.conf import settings

    from healthpilot import embedded

    minutes = Minutes()
    minutes.go(1)
    embedded.valkey.stop(settings.HOME)
    try:
        found = minutes.go(4)
        said = shown(minutes, "Redis")
    finally:
        embedded.start(settings.HOME, parts=["valkey"], say=lambda line: None)
    told(found, "check.down", "redis", severities=("critical",))
    told(found, "check.down", "web", severities=("critical",), cause="redis")
    return f"Redis stopped: told after four minutes as “{said}”, the rest put down to it"


def stopped(port: int, cookie: str, receiver: Receiver, *, waits: bool) -> str:
    """Stop PostgreSQL at once; pages and the API refuse; the watchdog tells of it past the outbox."""
    from django.conf import settings
    from django.db import connections

    from healthpilot import embedded

    connections.close_all()
    before = len(receiver.bodies)
    embedded.postgres.stop(settings.HOME)
    began = time.monotonic()
    try:
        took_s = refused_clearly(port, cookie)
        answer = ask(
            port, "/api/ingest/events", method="POST", body=EVENT, Authorization="Bearer hp_none_none"
        )
        assert answer.status >= 400, f"an ingest call was answered {answer.status} without a database"
        assert status_of(port, "/healthz/ready") == 503
        if waits:
            wait_until(lambda: outage_told(receiver, before, "alert.firing"), "a notice of the outage", 100)
        told_s = time.monotonic() - began
    finally:
        embedded.start(settings.HOME, parts=("postgres",), durable=False, say=lambda line: None)
    back_s = back_within(port, cookie)
    if waits:
        wait_until(lambda: outage_told(receiver, before, "alert.resolved"), "a notice of its end", 60)
    notice = f", told past the outbox after {told_s:.0f} s and when it was over" if waits else ""
    return f"stopped: 503 after {took_s:.1f} s{notice}, back after {back_s:.0f} s"


def outage_told(receiver: Receiver, before: int, what: str) -> bool:
    return any(
        body["type"] == what and body["data"].get("module") == "postgres" for body in receiver.bodies[before:]
    )
