"""`./run test`: finds or installs a browser, then runs the whole suite; further arguments go to pytest."""

import os
import subprocess
import sys
from pathlib import Path

from tests import browser

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Run pytest with a browser at hand and return its exit code, 1 when there is no browser."""
    try:
        environment = os.environ | {"HEALTHPILOT_CHROMIUM": str(browser.find())}
    except browser.BrowserMissingError as error:
        print(error, file=sys.stderr)
        return 1
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
