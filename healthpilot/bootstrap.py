"""What ./run does: makes the virtual environment from the lock, then starts the verb in it. Standard
library only.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("HEALTHPILOT_VENV") or ROOT / ".venv").resolve()
PYTHON = VENV / "bin" / "python"
RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"
HELP = """Usage: ./run VERB

  up [--port N] [--detach] [--no-seed]  set up, start everything, print the address
  stop                                  end everything that up started
  manage COMMAND …                      one management command (manage doctor says what is missing)
  test [PYTEST ARGUMENTS]               every test, browser included
  check                                 lint, types, templates, architecture, documents, migrations
  a11y [--full]                         every page for everybody: axe, keyboard, overflow, no scripts
  screenshots [--check]                 take the pictures of README.md anew, or say whether they are old
  bench [ARGUMENTS]                     measure against the budgets of docs/PERFORMANCE.md
  faults [ARGUMENTS]                    break things on purpose and see whether the promises hold

The data lies in HEALTHPILOT_VAR (default: var/ beside this script), the packages in HEALTHPILOT_VENV
(default: .venv/). README.md tells more.
"""


class SetupError(Exception):
    """The environment cannot be made; the message is one line that says why and what to do."""


def main(arguments: list[str]) -> int:
    """Run one verb and return its exit code; the verb replaces this process where it can."""
    verb, rest = (arguments or ["help"])[0], arguments[1:]
    try:
        return start(verb, rest)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def start(verb: str, rest: list[str]) -> int:
    """Prepare what the verb needs and hand over to it; an unknown verb is a usage error (2)."""
    manage = [str(PYTHON), str(ROOT / "manage.py")]
    plain = {
        "up": [*manage, "up"],
        "manage": manage,
        "stop": [str(PYTHON), "-m", "healthpilot.supervisor", "stop"],
    }
    tools = {
        "test": "tests.everything",
        "check": "tests.lint",
        "bench": "benchmarks",
        "faults": "tests.faults",
        "a11y": "tests.a11y",
        "screenshots": "tests.screenshots",
    }
    if verb in plain:
        if verb == "stop" and not PYTHON.exists():
            print("Nothing to stop: HealthPilot was never started here.")
            return 0
        ensure(RUNTIME)
        hand_over([*plain[verb], *rest], folder=None if verb == "manage" else ROOT)
    if verb in tools:
        ensure(DEVELOPMENT)
        hand_over([str(PYTHON), "-m", tools[verb], *rest], folder=ROOT)
    print(HELP, end="", file=sys.stdout if verb in {"help", "-h", "--help"} else sys.stderr)
    return 0 if verb in {"help", "-h", "--help"} else 2


def hand_over(command: list[str], *, folder: Path | None) -> None:
    """Become the command; its paths are the caller's unless a folder is given."""
    if folder:
        os.chdir(folder)
    os.execv(command[0], command)


def ensure(lock: Path) -> None:
    """Install a lock into the virtual environment unless it is there already; one process at a time."""
    if is_current(lock):
        return
    with alone():
        if not is_current(lock):
            make_venv()
            install(lock)


def is_current(lock: Path) -> bool:
    """Say whether the environment holds this lock as it is now; the development lock includes the other."""
    locks = {lock, DEVELOPMENT}
    return PYTHON.exists() and any(
        stamp(one).exists() and stamp(one).read_text() == digest(one) for one in locks
    )


def stamp(lock: Path) -> Path:
    """Return the file inside the environment that says which state of a lock was installed."""
    return VENV / f".installed-{lock.stem}"


def digest(lock: Path) -> str:
    """Return what an installation depends on: the runtime lock, this one, and the place (a moved
    environment is broken).
    """
    content = RUNTIME.read_bytes() + lock.read_bytes() + os.fsencode(VENV)
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the project folder's lock, so that two starts at once do not install over each other."""
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another start is installing packages; waiting for it …", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def make_venv() -> None:
    """Make the virtual environment unless a usable one is there."""
    if PYTHON.exists() and quietly([str(PYTHON), "-c", "import pip"]).returncode == 0 and belongs_here():
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        install_venv_module()
    say(f"Making the virtual environment {VENV} …")
    done = quietly([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if done.returncode:
        raise SetupError(explain(done.stdout, f"The virtual environment {VENV} could not be made"))


def belongs_here() -> bool:
    """Say whether the environment was made at this place: its scripts name their folder, so a copied
    one is useless.
    """
    place = quietly([str(PYTHON), "-c", "import sys; print(sys.prefix)"]).stdout.strip()
    activate = VENV / "bin" / "activate"
    return (
        Path(place or "/").resolve() == VENV.resolve()
        and activate.exists()
        and str(VENV) in activate.read_text()
    )


def install_venv_module() -> None:
    """Install the part of Python that Debian packs apart.

    Raises SetupError with the command where we may not.
    """
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    lack = f"This Python ({sys.executable}) comes without venv and pip"
    if not shutil.which("apt-get"):
        raise SetupError(f"{lack}: install them, or another Python, and start again.")
    if os.geteuid() != 0:
        raise SetupError(f"{lack}: run `sudo apt-get install {package}` and start again.")
    say(f"Installing {package}, which this Python lacks …")
    quietly(["apt-get", "update"])
    done = quietly(["apt-get", "install", "--yes", "--no-install-recommends", package])
    if done.returncode:
        raise SetupError(explain(done.stdout, f"apt-get could not install {package}"))
    importlib.invalidate_caches()


def install(lock: Path) -> None:
    """Install exactly what the lock names, every file checked against its hash."""
    count = sum(
        1 for line in lock.read_text().splitlines() if "==" in line and not line.startswith((" ", "#"))
    )
    say(f"Installing {count} packages from {lock.name} …")
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--disable-pip-version-check",
        "--no-input",
    ]
    done = quietly([*command, "--quiet", "--retries", "2", "--timeout", "20", "--requirement", str(lock)])
    if done.returncode:
        raise SetupError(explain(done.stdout, f"The packages of {lock.name} could not be installed"))
    stamp(lock).write_text(digest(lock))


def quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command without showing its output, which is kept."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PIP_ROOT_USER_ACTION": "ignore"}
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def explain(output: str, what: str) -> str:
    """Return one line on why an installation failed, and what to do."""
    if "No space left on device" in output:
        return f"{what}: the disk that holds {VENV} is full. Free some space and start again."
    unreachable = (
        "NewConnectionError",
        "ConnectTimeout",
        "name resolution",
        "Failed to establish",
        "Max retries",
        "ProxyError",
    )
    if any(sign in output for sign in unreachable):
        return (
            f"{what}: the package index does not answer. Check the network (or PIP_INDEX_URL) and "
            f"start again."
        )
    lines = [
        line for line in output.strip().splitlines() if line.startswith(("ERROR", "E:", "Error"))
    ] or output.strip().splitlines()
    return f"{what}: {lines[0] if lines else 'no reason given'}"


def say(line: str) -> None:
    """Print one line of progress."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
