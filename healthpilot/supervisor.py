"""Keeps web, worker, beat and watchdog running side by side under one process, and ends them all with it."""

import argparse
import functools
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import honcho.manager
import honcho.process

from healthpilot import commandline, configuration, embedded, processes

WEB_WORKERS = 2
WEB_THREADS = 8
TASK_PROCESSES = 2
GRACE_S = 40
STEADY_S = 60
LONGEST_PAUSE_S = 30.0


class Kept(honcho.process.Process):  # type: ignore[misc] # honcho has no types
    """A process that is started again when it ends by itself, with longer and longer pauses while it
    does not hold.
    """

    def __init__(self, *args: Any, ending: Event, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ending = ending
        self.supervisor = os.getpid()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Keep the process running until the end is announced or the supervisor is gone."""
        pause_s = 1.0
        while True:
            began = time.monotonic()
            super().run(events, ignore_signals)
            if self.ending.is_set() or os.getppid() != self.supervisor:
                break
            pause_s = 1.0 if time.monotonic() - began > STEADY_S else min(2 * pause_s, LONGEST_PAUSE_S)
            self._send_message(
                f"ended with code {self._child.returncode}; started again in {pause_s:.0f} s\n".encode()
            )
            if self.ending.wait(pause_s):
                break
        super()._send_message({"returncode": self._child.returncode}, type="stop")

    def _send_message(self, data: Any, type: str = "line") -> None:  # noqa: A002 - honcho's name
        """Pass messages on, but for the end of a process that will be started again."""
        if type != "stop":
            super()._send_message(data, type=type)


class Signals:
    """Asks a leader to end in order, so that it ends its own children; kills with its whole group."""

    def terminate(self, pid: int) -> None:
        self.send(os.kill, pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        self.send(os.killpg, pid, signal.SIGKILL)

    def send(self, way: Any, pid: int, number: int) -> None:
        try:
            if os.getsid(pid) == pid:
                way(pid, number)
        except ProcessLookupError:
            pass


class Team(honcho.manager.Manager):  # type: ignore[misc] # honcho has no types
    """honcho's manager with processes that are kept, and an end that comes even when one of them hangs."""

    def __init__(self) -> None:
        super().__init__()
        self.ending = multiprocessing.Event()
        self._process_ctor = functools.partial(Kept, ending=self.ending)
        self._procmgr = Signals()

    def terminate(self) -> None:
        """Announce the end, ask every process, and kill after the grace what has not ended."""
        if not self.ending.is_set():
            self.ending.set()
            force = threading.Timer(GRACE_S, self.kill)
            force.daemon = True
            force.start()
        super().terminate()


def commands(bind: str, port: int, var: Path) -> dict[str, str]:
    """Return the shell command of each process by the role it plays."""
    python = shlex.quote(sys.executable)
    web = f"gunicorn healthpilot.wsgi --bind {bind}:{port} --workers {WEB_WORKERS} --threads {WEB_THREADS}"
    worker = f"celery --quiet -A healthpilot worker --pool prefork --concurrency {TASK_PROCESSES}"
    beat = (
        f"celery --quiet -A healthpilot beat --schedule {shlex.quote(str(var / 'run' / 'beat'))} --pidfile="
    )
    return {
        "web": f"exec {python} -m {web} --worker-class gthread --no-control-socket --log-level warning",
        "worker": f"exec {python} -m {worker} --without-gossip --without-mingle --loglevel warning",
        "beat": f"exec {python} -m {beat} --loglevel warning",
        "watchdog": f"exec {python} manage.py watchdog",
    }


def run(bind: str, port: int) -> int:
    """Run everything until a signal comes; returns the exit code, 0 when asked to end."""
    var = configuration.data_folder()
    multiprocessing.set_start_method("fork", force=True)
    end_with_terminal()
    honcho.manager.KILL_WAIT = GRACE_S
    with embedded.using(embedded.Home(var), parts=commandline.embedded_parts()):
        team = Team()
        for role, command in commands(bind, port, var).items():
            extra = {"HEALTHPILOT_ROLE": role, "PYTHONUNBUFFERED": "1"}
            team.add_process(role, command, env=os.environ | extra, cwd=str(configuration.ROOT))
        team.loop()
    processes.record_path(var).unlink(missing_ok=True)
    return 0


def end_with_terminal() -> None:
    """End in order when the terminal is closed, unless it was asked to outlive it (nohup)."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: os.kill(os.getpid(), signal.SIGTERM))


def stop() -> int:
    """End what `up` started, and the embedded pair unless a command still uses it; returns the exit code."""
    var = configuration.data_folder()
    home = embedded.Home(var)
    pair = embedded.is_running(home)
    ended = processes.end(var)
    free = embedded.stop_unused(home)
    if not ended and not pair:
        print(f"Nothing to stop: HealthPilot does not run (data folder {var}).")
    elif not free:
        print(
            "Stopped, but for PostgreSQL and Valkey: a running command still uses them and "
            "stops them when it ends."
        )
    else:
        print("Stopped.")
    return 0


def launch(
    arguments: list[str], environment: dict[str, str], log: Path | None
) -> subprocess.Popen[bytes] | None:
    """Start the supervisor: in a session of its own, writing to a log, or without one in place of
    this process.
    """
    command = [sys.executable, "-m", "healthpilot.supervisor", "run", *arguments]
    if log is None:
        sys.stdout.flush()
        os.chdir(configuration.ROOT)
        os.execve(command[0], command, environment)
    with open(log, "ab") as stream:
        return subprocess.Popen(
            command,
            cwd=configuration.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def main(arguments: list[str]) -> int:
    """Run one of the two verbs."""
    parser = argparse.ArgumentParser(prog="healthpilot.supervisor", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("stop")
    starter = verbs.add_parser("run")
    starter.add_argument("--bind", default="127.0.0.1")
    starter.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    try:
        return stop() if options.verb == "stop" else run(options.bind, options.port)
    except embedded.EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
