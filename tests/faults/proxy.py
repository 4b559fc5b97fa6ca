"""A way to PostgreSQL that takes as long as it is told: a TCP proxy that holds each answer back."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CHUNK = 65_536


@dataclass
class Way:
    """Where to connect to, and by how many seconds each answer is late."""

    port: int
    late_s: float = 0.0


@contextlib.contextmanager
def slow_way(target: str) -> Iterator[Way]:
    """Run a proxy on a port of its own in front of a unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        way = Way(server.getsockname()[1])
        threading.Thread(target=accept, args=(server, target, way), daemon=True).start()
        try:
            yield way
        finally:
            way.late_s = 0
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def accept(server: socket.socket, target: str, way: Way) -> None:
    """Join each client to the server behind."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            behind = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            behind.connect(target)
            for source, sink, is_answer in ((client, behind, False), (behind, client, True)):
                threading.Thread(target=pump, args=(source, sink, way, is_answer), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket, way: Way, is_answer: Any) -> None:
    """Pass bytes on until either side ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            if is_answer and way.late_s:
                time.sleep(way.late_s)
            sink.sendall(data)
    for side in (source, sink):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
