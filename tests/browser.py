"""Finds a Chromium for the end-to-end tests, or installs one.

A missing browser is an error with instructions, never a skip.
"""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DOWNLOAD_LIMIT_S = 120
INSTRUCTIONS = (
    "No browser for the end-to-end tests. Install one (`apt-get install chromium`, or "
    "`.venv/bin/python -m playwright install "
    "chromium`), or set HEALTHPILOT_CHROMIUM to the path of a Chromium or Chrome."
)
ASK_PLAYWRIGHT = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


class BrowserMissingError(Exception):
    """No browser was found and none could be installed."""


@functools.cache
def find() -> Path:
    """Return the program of a browser: the named one, Playwright's own, one on PATH, else one installed now.

    Raises:
        BrowserMissingError: with what to do.
    """
    named = os.environ.get("HEALTHPILOT_CHROMIUM", "").strip()
    if named:
        if not os.access(named, os.X_OK):
            raise BrowserMissingError(f"HEALTHPILOT_CHROMIUM={named} is not a program. {INSTRUCTIONS}")
        return Path(named)
    found = playwrights_own() or on_path() or downloaded() or from_packages()
    if not found:
        raise BrowserMissingError(INSTRUCTIONS)
    return found


def playwrights_own() -> Path | None:
    """Return the browser that Playwright installed for itself.

    Asked in a process of its own, for one loop runs one Playwright.
    """
    answer = subprocess.run(
        [sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False
    )
    path = Path(answer.stdout.strip() or "/nonexistent")
    return path if path.is_file() else None


def on_path() -> Path | None:
    """Return the first Chromium or Chrome on PATH."""
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def downloaded() -> Path | None:
    """Let Playwright download its browser, within a short limit."""
    return playwrights_own() if attempt([sys.executable, "-m", "playwright", "install", "chromium"]) else None


def from_packages() -> Path | None:
    """Install Debian's Chromium, where we may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    attempt(["apt-get", "update"], limit_s=300)
    attempt(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], limit_s=900)
    return on_path()


def attempt(command: list[str], *, limit_s: float = DOWNLOAD_LIMIT_S) -> bool:
    """Run a command quietly; says whether it succeeded within the limit (s)."""
    print(f"No browser yet: {' '.join(command)} …", file=sys.stderr, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def launch_arguments() -> list[str]:
    """Return Chromium's arguments: as root it refuses its sandbox, and it shall not call home."""
    quiet = [
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    return quiet + (["--no-sandbox"] if os.geteuid() == 0 else [])
