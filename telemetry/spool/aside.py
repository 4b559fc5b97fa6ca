"""Keeps what could not be shipped in spool/aside, each with a file that says why; nothing is thrown away."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from telemetry.encoding import NUMBERS
from telemetry.spool.folder import ASIDE, spool_folder
from telemetry.spool.frames import Layout, first_line, framed

REASON: Final = ".reason"
NUMBER_OF: Final = {name: number for number, name in NUMBERS.items()}


def aside_folder() -> Path:
    """Return the folder of what was set aside, made when missing; raises OSError."""
    folder = spool_folder() / ASIDE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def set_aside_bytes(name: str, data: bytes, reason: str) -> None:
    """Keep bytes that cannot be read; raises OSError."""
    keep(f"{name}.bytes", data, reason)


def set_aside_row(layout: Layout, kind: str, row: bytes, error: Exception) -> str:
    """Keep a row that the database refused, as a segment: moved back to the spool it is tried again.

    Returns the reason in few words; raises OSError.
    """
    name = f"refused-{sha256(layout.name.encode() + row).hexdigest()[:32]}.1"
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
    keep(f"{name}.seg", first_line(name) + framed(NUMBER_OF[kind], row), reason)
    return type(error).__name__


def set_aside_file(path: Path, reason: str) -> None:
    """Move a file out of the spool; raises OSError."""
    folder = aside_folder()
    write(folder / f"{path.name}{REASON}", f"{reason}\n".encode())
    path.replace(folder / path.name)


def keep(name: str, data: bytes, reason: str) -> None:
    """Write a file and its reason, the reason first."""
    folder = aside_folder()
    write(folder / f"{name}{REASON}", f"{reason}\n".encode())
    write(folder / name, data)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def aside_count() -> int:
    """Return how many files lie aside."""
    try:
        return sum(1 for entry in os.scandir(spool_folder() / ASIDE) if entry.name.endswith(REASON))
    except OSError:
        return 0
