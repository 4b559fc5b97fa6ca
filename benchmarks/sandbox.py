"""A private PostgreSQL and Valkey in a temporary folder, as production runs them, gone when the run is over.

A guard process of its own session does the stopping: it waits for the end of its standard input, which also
comes when the run is killed or Ctrl-C is pressed twice.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
from django.core.management import call_command

from benchmarks.sizes import Sizes

ROOT = Path(__file__).resolve().parent.parent
GUARD = """
import shutil, sys
from pathlib import Path
from healthpilot import embedded
keep = sys.stdin.read()
home = embedded.Home(Path(sys.argv[1]))
embedded.stop(home)
if not keep:
    shutil.rmtree(home.var, ignore_errors=True)
"""
# The caller's own settings must not change what is measured.
FOREIGN = (
    "COST_TIMEZONE",
    "COST_CPU_MS",
    "COST_DB_ROW_1K",
    "COST_LLM_INPUT_TOKEN",
    "COST_LLM_OUTPUT_TOKEN",
    "DEBUG",
    "HEALTHPILOT_ROLE",
)


class DiskError(Exception):
    """The temporary folder has too little room; the message is one line."""


def check_disk(sizes: Sizes) -> None:
    """Raise DiskError unless the temporary folder has room for this run."""
    free_bytes = shutil.disk_usage(tempfile.gettempdir()).free
    if free_bytes < sizes.disk_bytes:
        raise DiskError(
            f"Too little disk: {free_bytes / 1e9:.1f} GB free in {tempfile.gettempdir()}, "
            f"a {sizes.name} run needs {sizes.disk_bytes / 1e9:.0f} GB. Free some, or point TMPDIR elsewhere."
        )


@contextlib.contextmanager
def private_services(sizes: Sizes, *, keep: bool) -> Iterator[Path]:
    """Start both servers with fsync on, set Django up on them, migrate; stop and remove all of it afterwards.

    Args:
        sizes: says how much disk must be free.
        keep: leaves the data folder in place (its servers are stopped all the same).

    Raises:
        DiskError: before anything was started.
    """
    check_disk(sizes)
    var = Path(tempfile.mkdtemp(prefix="hp-bench-")).resolve()
    guard = subprocess.Popen(
        [sys.executable, "-c", GUARD, str(var)], stdin=subprocess.PIPE, cwd=ROOT, start_new_session=True
    )
    try:
        start(var)
        yield var
    finally:
        from django.db import connections

        connections.close_all()
        with contextlib.suppress(BrokenPipeError):
            guard.communicate(b"keep" if keep else b"", timeout=120)


def start(var: Path) -> None:
    """Start the pair in var and make it this process's database."""
    from healthpilot import embedded

    home = embedded.Home(var)
    embedded.start(home, say=lambda line: None)
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "healthpilot.settings",
        "HEALTHPILOT_VAR": str(var),
        "DATABASE_URL": home.database_url,
        "REDIS_URL": home.redis_url,
    }
    django.setup()
    call_command("migrate", verbosity=0)
