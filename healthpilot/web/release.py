"""Which release runs: the version, and the revision it was taken from where that can be told."""

import subprocess
from functools import cache
from typing import Final

from django.conf import settings

from healthpilot.web import VERSION

MOST_LETTERS: Final = 60
LIMIT_S: Final = 5


@cache
def release() -> str:
    """Return what HEALTHPILOT_RELEASE names, else the version with the git revision of this copy."""
    named = settings.HEALTHPILOT_RELEASE
    if named:
        return "".join(letter for letter in named if letter.isprintable())[:MOST_LETTERS]
    found = revision()
    return f"{VERSION}+{found}" if found else VERSION


def revision() -> str:
    """Return the beginning of the commit that is checked out; empty without git or a repository."""
    command = ["git", "-C", str(settings.BASE_DIR), "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
