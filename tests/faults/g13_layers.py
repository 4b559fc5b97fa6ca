"""G13, each other layer: a slow PostgreSQL, a hung Redis, a full disk, a route, services; told as it is."""

import contextlib
import http.server
import os
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

from tests.faults.promises import Size
from tests.faults.proxy import slow_way
from tests.faults.sandbox import execute
from tests.faults.watched import Minutes, shown, told

LATE_S = 0.3
FLUSHED_S = 11
REQUESTS = 60
SEEN, DOWN, WARNED = 3, 4, 6


def try_it(size: Size, port: int, cookie: str) -> list[str]:
    """Break one layer after the other; the tiny size those that take no waiting."""
    seen = [disk_full(), expired()]
    if size != "tiny":
        seen += [slow_database(), redis_hung(), route_raises(port, cookie), service_slow(), service_fails()]
    return seen


def slow_database() -> str:
    """Put PostgreSQL behind a way on which each answer takes 0.3 s."""
    from django.conf import settings
    from django.db import connections

    minutes = Minutes()
    minutes.go(1)
    own = connections.settings["default"]
    kept = {name: own[name] for name in ("HOST", "PORT")}
    with slow_way(str(settings.HOME.sockets / ".s.PGSQL.5432")) as way:
        way.late_s = LATE_S
        own |= {"HOST": "127.0.0.1", "PORT": str(way.port)}  # the probes' connections; ours is open
        try:
            found = minutes.go(DOWN)
        finally:
            own |= kept
    told(found, "check.down", "postgres", severities=("critical",))
    said = shown(minutes, "PostgreSQL")
    minutes.go(3)
    return f"PostgreSQL {LATE_S * 1000:.0f} ms late: told after {DOWN} minutes as “{said}”"


def redis_hung() -> str:
    """Stop Redis as SIGSTOP does: it takes connections and answers nothing."""
    from django.conf import settings

    minutes = Minutes()
    minutes.go(1)
    pid = int((settings.HOME.valkey / "server.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        found = minutes.go(DOWN)
        said = shown(minutes, "Redis")
    finally:
        os.kill(pid, signal.SIGCONT)
    told(found, "check.down", "redis", severities=("critical",))
    told(found, "check.down", "web", severities=("critical",), cause="redis")
    return f"Redis hung: told after {DOWN} minutes as “{said}”"


def disk_full() -> str:
    """Fill a small disk of memory with the data folder on it."""
    from django.test import override_settings

    with small_disk() as disk:
        if isinstance(disk, str):
            return f"disk nearly full skipped: {disk}"
        minutes = Minutes()
        with override_settings(HEALTHPILOT_VAR=disk):
            minutes.go(1)
            (disk / "much").write_bytes(b"x" * 15_400_000)
            found = minutes.go(DOWN + DOWN)
        severity = told(found, "host.disk", "host", severities=("critical",))
        said = shown(minutes, "disk")
    return f"disk nearly full: told as host.disk ({severity}), “{said}”"


@contextlib.contextmanager
def small_disk() -> Iterator[Path | str]:
    """Mount 16 MB of memory as a disk; where that is not allowed, why."""
    with tempfile.TemporaryDirectory(prefix="hp-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "hp-disk", folder]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            yield f"mount cannot be run ({error.strerror})"
            return
        if done.returncode:
            yield f"a disk can be mounted by root only ({done.stderr.strip() or done.returncode})"
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=False)


@contextlib.contextmanager
def this_minute_is_over() -> Iterator[None]:
    """What processes counted in the running minute is complete for the probes: it is waited for elsewhere."""
    from systemstatus.probes import integrations, web

    real = web.redis_minute
    with (
        mock.patch.object(web, "redis_minute", lambda broker: real(broker) + 1),
        mock.patch.object(integrations, "redis_minute", lambda broker: real(broker) + 1),
    ):
        yield


def route_raises(port: int, cookie: str) -> str:
    """Take away a table that a page reads: the route raises in the web process at each visit."""
    from tests.faults.g13_database import status_of

    minutes = Minutes()
    minutes.go(1)
    execute("ALTER TABLE dataqueue_jobs RENAME TO dataqueue_jobs_gone")
    try:
        with ThreadPoolExecutor(4) as threads:
            answers = set(threads.map(lambda _: status_of(port, "/admin/jobs", cookie), range(REQUESTS)))
    finally:
        execute("ALTER TABLE dataqueue_jobs_gone RENAME TO dataqueue_jobs")
    assert answers == {500}, f"a page without its table answered {answers}"
    time.sleep(FLUSHED_S)
    with this_minute_is_over():
        found = minutes.go(SEEN)
    told(found, "api.new_error", "web", severities=("warning",))
    severity = told(found, "api.errors", "web", severities=("critical",))
    said = shown(minutes, "requests fail", "errors come")
    return f"a route raised {REQUESTS} times: told as api.errors ({severity}) and api.new_error, “{said}”"


def service_slow() -> str:
    """Have the receiver of alerts answer after 1.2 s."""
    found, minutes = calls_to("slow", times=5)
    told(found, "integration.p95", "webhook", severities=("warning",))
    return f"a service slow: told as integration.p95, “{shown(minutes, 'webhook', status='warn')}”"


def service_fails() -> str:
    """Have the receiver of alerts answer 500 to four calls of five, so that its circuit does not open."""
    found, minutes = calls_to("failing", times=25)
    told(found, "integration.failures", "webhook", severities=("warning",))
    return f"a service failing: told as integration.failures, “{shown(minutes, 'webhook', status='warn')}”"


def calls_to(how: str, *, times: int) -> tuple[Any, Minutes]:
    """Call a real HTTPS server over the client of the webhook, and let minutes pass."""
    from django.test import override_settings

    from systemstatus.notify import webhook
    from telemetry import flushing
    from telemetry.outbound.client import OutboundError, circuits

    minutes = Minutes()
    with secure_server(how, days=90) as address, override_settings(ALERT_WEBHOOK_URL=f"https://{address}/"):
        minutes.go(1)
        webhook.client_for.cache_clear()
        for _ in range(times):
            with contextlib.suppress(OutboundError):
                webhook.client_for(True).request("POST", f"https://{address}/", may_repeat=False)
        assert flushing.flush_all()
        with this_minute_is_over():
            found = minutes.go(WARNED)
        webhook.client_for.cache_clear()
        circuits.clear()
        return found, minutes


def expired() -> str:
    """Look at a server whose certificate ended yesterday."""
    from django.test import override_settings

    minutes = Minutes()
    with secure_server("well", days=-1) as address, override_settings(STATUS_TLS_HOSTS=[address]):
        found = minutes.go(DOWN + 2)
    told(found, "check.down", "certificates", severities=("warning",))
    said = shown(minutes, "certificate", status="warn")
    return f"an expired certificate: told as check.down of certificates, “{said}”"


class Service(http.server.BaseHTTPRequestHandler):
    """Answers as its server is told."""

    how = "well"
    calls = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.how == "slow":
            time.sleep(1.2)
        type(self).calls += 1
        self.send_response(500 if self.how == "failing" and self.calls % 5 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def secure_server(how: str, *, days: int) -> Iterator[str]:
    """Run an HTTPS server whose certificate is trusted here and ends in so many days."""
    from tests.certificates import write_certificate

    with tempfile.TemporaryDirectory(prefix="hp-tls-") as folder:
        pem = write_certificate(Path(folder), days=days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        handler = type("Bound", (Service,), {"how": how})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(pem)}):
                yield f"localhost:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
