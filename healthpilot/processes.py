"""Which processes one start of the project consists of, and how they are ended, even when their
supervisor was killed.

Every process carries its start's data folder in the environment variable HEALTHPILOT_UP, which children
inherit. So processes are known by what they are, not by a remembered number that the system may have given
to another since.
"""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

MARK = "HEALTHPILOT_UP"
END_LIMIT_S = 60.0
LOOK_S = 0.1


@dataclass(frozen=True)
class Start:
    """One start: its supervisor (process id and start time, which together no other process has) and
    its address.
    """

    pid: int
    started: float
    url: str

    def is_running(self) -> bool:
        """Say whether the supervisor still runs."""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.started) < 1 and is_alive(process)
        except psutil.Error:
            return False


def record_path(var: Path) -> Path:
    """Return the file that remembers the start of a data folder."""
    return var / "run" / "up.json"


def remember(var: Path, pid: int, url: str) -> Start:
    """Write down a start, whole or not at all, and return it."""
    start = Start(pid, psutil.Process(pid).create_time(), url)
    path = record_path(var)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(start)))
    draft.replace(path)
    return start


def current(var: Path) -> Start | None:
    """Return the start that runs now, if any."""
    try:
        start = Start(**json.loads(record_path(var).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return start if start.is_running() else None


def belonging(var: Path) -> list[psutil.Process]:
    """Return every living process of this data folder's starts, but for this one and those above it."""
    above = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        process for process in psutil.process_iter() if process.pid not in above and carries(process, var)
    ]


def carries(process: psutil.Process, var: Path) -> bool:
    """Say whether a process carries the mark of a data folder."""
    try:
        return process.environ().get(MARK) == str(var) and is_alive(process)
    except (psutil.Error, OSError):
        return False


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process runs; a zombie does not, and a number that was given anew is another process."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(var: Path) -> int:
    """End every process of a data folder's starts and wait for it; returns how many there were.

    The supervisor is asked first and ends the others in order. Without it, or after END_LIMIT_S, the
    leaders of what is left are asked, and at last everything is killed.
    """
    found = belonging(var)
    start = current(var)
    if start:
        ask(psutil.Process(start.pid))
        wait(found, END_LIMIT_S)
    rest = belonging(var)
    for process in rest:
        if leads(process):
            ask(process)
    wait(rest, END_LIMIT_S / 2)
    rest = belonging(var)
    for process in rest:
        ask(process, signal.SIGKILL)
    wait(rest, LOOK_S * 50)
    record_path(var).unlink(missing_ok=True)
    return len(found)


def leads(process: psutil.Process) -> bool:
    """Say whether a process leads its session: web server, worker and beat do, and end their own children."""
    try:
        return os.getsid(process.pid) == process.pid
    except OSError:
        return False


def ask(process: psutil.Process, number: int = signal.SIGTERM) -> None:
    """Send a signal to a process that may be gone."""
    try:
        process.send_signal(number)
    except psutil.Error:
        pass


def wait(processes: list[psutil.Process], limit_s: float) -> None:
    """Wait until none of the processes lives, at most limit_s seconds."""
    deadline = time.monotonic() + limit_s
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
