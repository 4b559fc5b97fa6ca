"""Runs manage.py in a process of its own, against the database of the tests."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment, pointed at the database that the tests use."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return (
        os.environ
        | {"HEALTHPILOT_VAR": str(settings.HEALTHPILOT_VAR)}
        | {"DATABASE_URL": address._replace(path=f"/{connection.settings_dict['NAME']}").geturl()}
        | extra
    )


def start(*arguments: str, **extra: str) -> "subprocess.Popen[str]":
    """Start a command and return its process."""
    command = [sys.executable, "manage.py", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment(**extra), stdout=pipe, stderr=pipe, text=True)


def run(*arguments: str, stdin: str | None = None, **extra: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    command = [sys.executable, "manage.py", *arguments]
    env = environment(**extra)
    return subprocess.run(
        command, cwd=ROOT, env=env, input=stdin, capture_output=True, text=True, timeout=120
    )
