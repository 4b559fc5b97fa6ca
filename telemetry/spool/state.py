"""Reads what waits in this machine's spool, from its files alone, so that it works with the database away."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from telemetry.spool import companions
from telemetry.spool.aside import aside_count
from telemetry.spool.folder import ASIDE, LOCK, SEGMENT, STATUS, Hold, fault, segments, spool_folder
from telemetry.spool.frames import FIRST_LINE_MOST, BadSegment, parse, read_first_line
from telemetry.spool.transfer import CHUNK_BYTES

LATE_S: Final = 60.0


@dataclass
class ProcessState:
    """One process with files in the spool; a dead one's wait to be adopted."""

    stem: str
    role: str = "?"
    pid: int = 0
    machine: str = "?"
    is_alive: bool = True
    age_s: float = 0.0
    recorded: int = 0
    shipped: int = 0
    waiting: int = 0
    waiting_bytes: int = 0
    oldest_s: float = 0.0
    dropped: dict[str, int] = field(default_factory=dict)
    aside: dict[str, int] = field(default_factory=dict)
    failure: str = ""


@dataclass
class SpoolState:
    """All of the folder: its processes, what was set aside, and files that are not the spool's."""

    folder: str
    processes: list[ProcessState]
    aside: int
    foreign: list[str]
    used_bytes: int
    fault: str = ""

    @property
    def waiting(self) -> int:
        return sum(process.waiting for process in self.processes)

    @property
    def oldest_s(self) -> float:
        return max((process.oldest_s for process in self.processes), default=0.0)

    @property
    def dropped(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        for process in self.processes:
            total.update(process.dropped)
        return dict(total)

    @property
    def is_fine(self) -> bool:
        """Whether events are taken, none waits for longer than a minute, and none was dropped.

        Drops are those of processes that live, or have been gone for less than a day.
        """
        return self.oldest_s <= LATE_S and not self.dropped and not self.fault

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {
            "waiting": self.waiting,
            "oldest_s": self.oldest_s,
            "dropped": self.dropped,
            "fine": self.is_fine,
        }


def spool_state() -> SpoolState:
    """Return what lies in the spool of this machine; an unreadable folder reads as empty and at fault."""
    folder = spool_folder()
    names = file_names(folder)
    files: dict[str, list[os.DirEntry[str]]] = {}
    for stem, entry in segments(folder):
        files.setdefault(stem, []).append(entry)
    for name in names:
        if name.endswith(STATUS):
            files.setdefault(name.removesuffix(STATUS), [])
    used = sum(size_of(entry) for entries in files.values() for entry in entries)
    processes = [process_state(folder, stem, entries) for stem, entries in sorted(files.items())]
    return SpoolState(str(folder), processes, aside_count(), list(foreign(names)), used, fault())


def file_names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def foreign(names: list[str]) -> Iterator[str]:
    """Yield the names in the folder that are not the spool's; they are left as they are."""
    known = (LOCK, STATUS, *companions.endings())
    for name in names:
        is_ours = name == ASIDE or name.startswith(".") or name.endswith(known) or SEGMENT.fullmatch(name)
        if not is_ours:
            yield name


def size_of(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def process_state(folder: Path, stem: str, entries: list[os.DirEntry[str]]) -> ProcessState:
    """Return what one process told, or what its files hold when it is gone."""
    state = ProcessState(stem, is_alive=is_held(folder, stem))
    with suppress(OSError, ValueError, TypeError):
        told = json.loads((folder / f"{stem}{STATUS}").read_bytes())
        for name in ("role", "pid", "machine", "recorded", "shipped", "dropped", "aside", "failure"):
            setattr(state, name, told.get(name, getattr(state, name)))
        since_s = max(0.0, time.time() - told["updated_at"])
        state.age_s = max(0.0, time.time() - told["started_at"])
        state.waiting, state.waiting_bytes = told["waiting"], told["waiting_bytes"]
        if state.waiting:
            state.oldest_s = told["oldest_s"] + since_s
    if not state.is_alive:
        state.waiting, state.waiting_bytes, state.oldest_s = 0, 0, 0.0
        for entry in entries:
            with suppress(OSError):
                state.waiting += events_in(Path(entry.path))
                state.waiting_bytes += size_of(entry)
                state.oldest_s = max(state.oldest_s, time.time() - entry.stat().st_mtime)
    return state


def is_held(folder: Path, stem: str) -> bool:
    """Say whether a living process holds the stem; nothing is made or removed."""
    if not (folder / f"{stem}{LOCK}").exists():
        return False
    try:
        hold = Hold.take(folder, stem)
    except OSError:
        return True
    if hold:
        hold.let_go(remove=False)
    return hold is None


def events_in(path: Path) -> int:
    """Return how many events a file holds, those already shipped before its process died included."""
    events = 0
    with path.open("rb") as file:
        try:
            place = read_first_line(file.read(FIRST_LINE_MOST)).start
        except BadSegment:
            return 0
        while True:
            file.seek(place)
            data = file.read(CHUNK_BYTES)
            is_last = len(data) < CHUNK_BYTES
            chunk = parse(data, is_last=is_last)
            events += chunk.events
            place += chunk.length
            if is_last or not chunk.length:
                return events
