"""Changes documents: one writer at a time, whole or not at all, and only when no fault comes of it."""

import contextlib
import fcntl
import os
import tempfile
from collections import Counter
from collections.abc import Iterator

from governance import rules
from governance.findings import STOP, Finding, errors
from governance.reading import Reading

LEFTOVER = ".governance-"


class Refused(Exception):  # noqa: N818 - reads as what happened
    """A change that would make a fault, or that has nothing to stand on; findings may say more."""

    def __init__(self, message: str, findings: list[Finding] | None = None) -> None:
        super().__init__(message)
        self.findings = findings or []


@contextlib.contextmanager
def alone(root: str) -> Iterator[None]:
    """Hold the lock of a folder's documents: the folder docs/ itself, so that no lock file lies about."""
    handle = os.open(os.path.join(root, "docs"), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(root: str, changes: dict[str, str], *, dry_run: bool = False) -> None:
    """Write documents, one after the other, after looking at what the rules would say.

    To be called while the lock is held. Each file is replaced by rename after it reached the disk, so that a
    reader, and whoever comes after kill -9, finds the old text or the new one.

    Args:
        root: the repository.
        changes: the new text by path, in the order to write: what a later one refers to comes first.
        dry_run: judge, and write nothing.

    Raises:
        Refused: the rules would find an error that is not there now.
    """
    refuse_new_faults(root, changes)
    if dry_run:
        return
    for path, text in changes.items():
        replace(os.path.join(root, path), text)


def refuse_new_faults(root: str, changes: dict[str, str]) -> None:
    """Raise Refused when the changes would bring an error that is not there now."""
    before = Counter((finding.id, finding.message) for finding in found(root, {}))
    fresh = []
    for finding in found(root, changes):
        if before[finding.id, finding.message]:
            before[finding.id, finding.message] -= 1
        else:
            fresh.append(finding)
    if fresh:
        raise Refused("Nothing was written: the documents would not be in order.", fresh)


def found(root: str, changes: dict[str, str]) -> list[Finding]:
    """Return the errors of the documents as they would be; a stop is no fault."""
    return [finding for finding in errors(rules.check(Reading(root, changes))) if finding.id != STOP]


def replace(path: str, text: str) -> None:
    """Put a text in a file's place, durably and in one step."""
    folder = os.path.dirname(path)
    sweep(folder)
    handle, draft = tempfile.mkstemp(prefix=LEFTOVER, dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), permissions(path))
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
    sync(folder)


def permissions(path: str) -> int:
    """Return the mode that a document has, 0644 for a new one."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        return 0o644


def sweep(folder: str) -> None:
    """Take away the draft of a writer that was killed; the lock is held, so none is at work."""
    for name in os.listdir(folder):
        if name.startswith(LEFTOVER):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def sync(folder: str) -> None:
    """Bring a folder's names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
