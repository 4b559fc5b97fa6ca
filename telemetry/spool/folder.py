"""The spool's folder: where it lies, how its files are named, and who holds which of them."""

import fcntl
import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from weakref import WeakSet

from django.conf import settings

SEGMENT: Final = re.compile(r"(?P<stem>[0-9A-Za-z.-]+)\.(?P<number>\d+)\.seg")
LOCK: Final = ".lock"
STATUS: Final = ".status"
ASIDE: Final = "aside"


def spool_folder() -> Path:
    """Return where this copy's events wait for the database."""
    return Path(settings.HEALTHPILOT_VAR) / "spool"


def made_folder() -> Path:
    """Return the spool's folder, made when it is missing; raises OSError."""
    folder = spool_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def fault() -> str:
    """Return why the folder takes no event now, '' where it does."""
    try:
        with TemporaryFile(dir=made_folder()) as file:
            file.write(bytes(4096))
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def machine_id() -> str:
    """Return a short name of this machine, the same at every start where the system keeps one."""
    told = ""
    with suppress(OSError):
        told = Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    return hashlib.sha256(f"{told} {socket.gethostname()}".encode()).hexdigest()[:8]


def new_stem() -> str:
    """Return a name that no other process of any machine has: machine, process, time and chance."""
    return f"{machine_id()}-{os.getpid()}-{time.time_ns()}-{secrets.token_hex(4)}"


class Hold:
    """The flock on `<stem>.lock`: it says that the stem's files have a living owner.

    The system lets go of it when the process is gone, however it ended. A fork shares it, so a child closes
    its copy at once: it neither keeps a dead parent's hold nor lets go of a living one's.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        holds.add(self)

    @classmethod
    def take(cls, folder: Path, stem: str) -> "Hold | None":
        """Take a stem, its lock file made when missing; None while another holds it. Raises OSError."""
        path = folder / f"{stem}{LOCK}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have removed the file that was opened here.
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return cls(path, descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def is_there(self) -> bool:
        """Say whether the lock file is still the one in the folder."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))
        except OSError:
            return False

    def let_go(self, *, remove: bool) -> None:
        """End the hold; with `remove` the file goes too, since nothing of the stem is left."""
        if remove and self.is_there():
            with suppress(OSError):
                self.path.unlink()
        self.forget()

    def forget(self) -> None:
        """Close this process's copy, as a forked child does; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:  # gevent's close of none raises what no system does
            with suppress(OSError):
                os.close(descriptor)


holds: Final[WeakSet[Hold]] = WeakSet()


def forget_holds() -> None:
    """Leave every hold to the parent of a fork, those too that it took for a moment to adopt or to look."""
    for hold in list(holds):
        hold.forget()


os.register_at_fork(after_in_child=forget_holds)


def new_hold(folder: Path) -> tuple[str, Hold]:
    """Return a fresh stem and the hold on it; raises OSError."""
    while True:
        stem = new_stem()
        if hold := Hold.take(folder, stem):
            return stem, hold


def segments(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the stem and the entry of every segment in the folder; nothing where there is no folder."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if (named := SEGMENT.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
            yield named["stem"], entry


def used_bytes(folder: Path) -> int:
    """Return how much the segments in the folder hold."""
    total = 0
    for _, entry in segments(folder):
        with suppress(OSError):
            total += entry.stat(follow_symlinks=False).st_size
    return total
