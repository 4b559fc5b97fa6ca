"""The real web server on a port of the loopback address, signed in, as long as a figure needs it."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie

from benchmarks.sandbox import ROOT

READY_S = 60.0


@dataclass(frozen=True)
class Site:
    """An open connection to the server, with a signed-in account's cookies, kept as a browser keeps them."""

    connection: http.client.HTTPConnection
    cookies: "SimpleCookie"

    def get(self, address: str) -> bytes:
        """Return a page's body; raises RuntimeError for anything but 200."""
        sent = "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())
        self.connection.request("GET", address, headers={"Cookie": sent})
        answer = self.connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(line)
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{address} answered {answer.status}")
        return body


@contextlib.contextmanager
def site() -> Iterator[Site]:
    """Start gunicorn as production does, one worker with one thread, and sign in; stop it afterwards."""
    port = free_port()
    command = [
        "gunicorn",
        "benchmarks.site",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
        "--threads",
        "2",
    ]
    options = [
        "--worker-class",
        "gthread",
        "--keep-alive",
        "60",
        "--no-control-socket",
        "--log-level",
        "warning",
    ]
    environment = os.environ | {"HEALTHPILOT_ROLE": "web", "HEALTHPILOT_PLAIN_STATIC": "1"}
    server = subprocess.Popen([sys.executable, "-m", *command, *options], cwd=ROOT, env=environment)
    try:
        wait_for(port, server)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        yield Site(connection, SimpleCookie({"sessionid": signed_in()}))
        connection.close()
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Return when the server accepts connections; raises RuntimeError when it ended or takes too long."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError("the web server did not start")


def signed_in() -> str:
    """Return the key of a session of a staff account, made if there is none."""
    from django.contrib.auth.models import User
    from django.test import Client

    account, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True})
    client = Client()
    client.force_login(account)
    return client.cookies["sessionid"].value
