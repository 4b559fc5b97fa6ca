"""PostgreSQL and Valkey from wheels, on unix sockets, for development, demonstrations and tests.

DATABASE_URL and REDIS_URL take over in production. Users of the pair hold a shared file lock, and whoever
leaves last stops it. The kernel drops the locks of a killed process; a server that outlived its starter is
adopted by the next start.
"""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from healthpilot.embedded import postgres, valkey
from healthpilot.embedded.home import (
    EmbeddedError,
    Home,
    Say,
    database_owner,
    make_folder,
    make_sockets,
)

__all__ = [
    "PARTS",
    "EmbeddedError",
    "Home",
    "Say",
    "is_running",
    "make_folder",
    "one_at_a_time",
    "postgres",
    "start",
    "stop",
    "stop_unused",
    "using",
    "valkey",
]
PARTS = ("postgres", "valkey")


@contextlib.contextmanager
def using(
    home: Home, *, parts: Sequence[str] = PARTS, durable: bool = True, say: Say = print
) -> Iterator[None]:
    """Run the pair while the block runs; stop it afterwards unless somebody else uses it too.

    Args:
        home: whose pair; its folder is made when missing.
        parts: which of PARTS to run.
        durable: False turns fsync off, which only tests may want.
        say: gets one line for what a person should know.

    Raises:
        EmbeddedError: when the pair cannot run.
    """
    make_folder(home.var)
    with open(home.var / "embedded.users", "a") as users:
        try:
            with one_at_a_time(home.var, "embedded"):
                fcntl.flock(users, fcntl.LOCK_SH)
                start(home, parts=parts, durable=durable, say=say)
            yield
        finally:
            with one_at_a_time(home.var, "embedded"):
                if is_last(users):
                    stop(home)


@contextlib.contextmanager
def one_at_a_time(var: Path, purpose: str) -> Iterator[None]:
    """Let one process at a time start or stop what a data folder holds, by a lock that ends with its
    holder.
    """
    make_folder(var)
    with open(var / f"{purpose}.gate", "a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def is_last(users: IO[str]) -> bool:
    """Say whether nobody else holds the users' lock, by trying to hold it alone."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start(home: Home, *, parts: Sequence[str] = PARTS, durable: bool = True, say: Say = print) -> None:
    """Start whatever is not running. Not safe against a second starter: using() is."""
    owner = database_owner(home, (postgres.programs(), valkey.program()), say)
    make_sockets(home, owner)
    if "postgres" in parts:
        postgres.start(home, owner, durable=durable)
    if "valkey" in parts:
        valkey.start(home, owner)


def stop(home: Home) -> None:
    """Stop both, wait until they are gone, and remove the socket folder."""
    valkey.stop(home)
    postgres.stop(home)
    shutil.rmtree(home.sockets, ignore_errors=True)


def stop_unused(home: Home) -> bool:
    """Stop both unless somebody uses them; says whether they are stopped."""
    if not home.var.is_dir():
        return True
    with open(home.var / "embedded.users", "a") as users, one_at_a_time(home.var, "embedded"):
        if not is_last(users):
            return False
        stop(home)
        return True


def is_running(home: Home) -> bool:
    """Say whether both answer."""
    return postgres.answers(home) and valkey.answers(home)
