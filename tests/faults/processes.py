"""Child processes that do one thing with Django, to be stopped, continued and killed."""

import os
import signal
import time
import traceback
from collections.abc import Callable


class Child:
    """A forked process that runs a function on database connections of its own and exits 0 or 1."""

    def __init__(self, work: Callable[[], object], *, expects: type[BaseException] | None = None) -> None:
        from django.db import connections

        connections.close_all()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(outcome(work, expects))

    def kill(self) -> None:
        """End it as power loss would, if it still runs."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def exit_code(self) -> int:
        """Wait for its end and return its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def outcome(work: Callable[[], object], expects: type[BaseException] | None) -> int:
    """Return 0 when the work ended as expected: with the exception named, or without any."""
    try:
        work()
    except BaseException as error:
        if expects is not None and isinstance(error, expects):
            return 0
        traceback.print_exc()
        return 1
    return 0 if expects is None else 1


def wait_until(
    condition: Callable[[], bool], what: str, limit_s: float = 30, *, every_s: float = 0.02
) -> None:
    """Wait for a condition; raises AssertionError with what was waited for when it does not come."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, f"waited {limit_s:.0f} s in vain for: {what}"
        time.sleep(every_s)


def is_stopped(pid: int) -> bool:
    """Say whether a process stands still after SIGSTOP."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"
