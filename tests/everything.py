"""`./run test`: finds or installs a browser, then runs the suite on every core; arguments go to pytest."""

import os
import subprocess
import sys
from pathlib import Path

from tests import browser

ROOT = Path(__file__).resolve().parent.parent
# Each has a PostgreSQL, a Valkey and maybe a browser of its own.
MOST_PROCESSES = 4
# Some tests wait for servers and workers most of their time; one process more than there are cores fills it.
BESIDE_THOSE_THAT_WAIT = 1
# A file's tests share servers that take seconds to start, so one process runs them all.
BY_FILE = ["--dist", "loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    """Run pytest with a browser at hand and return its exit code, 1 when there is no browser."""
    try:
        environment = os.environ | {"HEALTHPILOT_CHROMIUM": str(browser.find())}
    except browser.BrowserMissingError as error:
        print(error, file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "pytest", *spread(arguments, os.cpu_count() or 1), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def spread(arguments: list[str], cores: int) -> list[str]:
    """Return the options that hand the whole suite out to several processes, where there are cores for them.

    Who names tests gets one process, whose servers are up soonest and which a debugger can enter; who says -n
    has said how many, and who says --dist how as well.
    """
    if any(argument.startswith(("--dist", "--pdb")) for argument in arguments):
        return []
    if any(argument.startswith(("-n", "--numprocesses")) for argument in arguments):
        return BY_FILE
    names_tests = any((ROOT / argument.split("::")[0]).exists() for argument in arguments)
    if names_tests or cores < 2:
        return []
    return ["-n", str(min(cores + BESIDE_THOSE_THAT_WAIT, MOST_PROCESSES)), *BY_FILE]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
