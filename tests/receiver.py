"""A receiver of webhooks: a real HTTP server that answers as told, and verifies by the library."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoaXJ0eSBieXRlcyBmb3IgdGVzdHM="
LONG_S = 10.0


@dataclass
class Receiver:
    """What came, by message id, and how the next requests are answered.

    answers: one word a request: a status, slow, hang, drip, or redirect; the last one stands for all
        that follow.
    """

    url: str = ""
    answers: list[str] = field(default_factory=lambda: ["200"])
    ids: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def take(self) -> str:
        """Return how this request is answered."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    receiver: Receiver

    def do_POST(self) -> None:
        payload = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.receiver.bodies.append(Webhook(SECRET).verify(payload, dict(self.headers)))
            self.receiver.ids.append(self.headers["webhook-id"])
        except Exception as error:
            self.receiver.errors.append(f"{type(error).__name__}: {error}")
        how = self.receiver.take()
        try:
            getattr(self, f"do_{how}", lambda: self.answer(int(how)))()
        except (BrokenPipeError, ConnectionResetError):
            pass

    def do_GET(self) -> None:
        self.do_POST()

    def answer(self, status: int, **headers: str) -> None:
        body = json.dumps({"said": status}).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_redirect(self) -> None:
        self.answer(302, Location=f"{self.receiver.url}/elsewhere")

    def do_slow(self) -> None:
        time.sleep(1.7)
        self.answer(200)

    def do_hang(self) -> None:
        self.receiver.closing.wait(LONG_S)

    def do_drip(self) -> None:
        """Send a byte now and then, so that no single wait is long."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        end = time.monotonic() + LONG_S
        while time.monotonic() < end and not self.receiver.closing.wait(0.05):
            self.wfile.write(b"X-Drip: 1\r\n")

    def do_flood(self) -> None:
        """Send more than anybody wants to read."""
        self.send_response(200)
        self.end_headers()
        while not self.receiver.closing.is_set():
            self.wfile.write(b"x" * 65536)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving(*answers: str) -> Iterator[Receiver]:
    """Run a receiver on a port of its own."""
    receiver = Receiver(answers=list(answers) or ["200"])
    handler = type("Bound", (Handler,), {"receiver": receiver})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
