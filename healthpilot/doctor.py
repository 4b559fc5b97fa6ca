"""What is missing or wrong on this machine, and how to mend it: one finding for each part."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import redis
from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from healthpilot import commandline, configuration, embedded, preparation, processes
from healthpilot.celery import app

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRESQL = 150000
LOW_SPACE_BYTES = 2_000_000_000
PING_LIMIT_S = 2.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START = "start everything with ./run up"
Look = tuple[str, str, str]  # state, what was seen, mend


@dataclass(frozen=True)
class Finding:
    """One part: its state (ok, warning or wrong), what was seen, and how to mend it when it is not ok."""

    part: str
    state: str
    seen: str
    mend: str


def examine() -> Iterator[Finding]:
    """Look at every part in turn; one that cannot even be looked at is wrong, and the next is looked at."""
    for part, look in parts().items():
        try:
            state, seen, mend = look()
        except Exception as error:  # a doctor goes on, whatever one part does
            lines = str(error).strip().splitlines() or [type(error).__name__]
            state, seen, mend = "wrong", lines[0], "mend what it says, then look again"
        yield Finding(part, state, seen, "" if state == "ok" else mend)


def parts() -> dict[str, Callable[[], Look]]:
    """Return what is looked at, in the order of a start."""
    return {
        "python": python,
        "data folder": data_folder,
        "disk": disk,
        "database": database,
        "migrations": migrations,
        "redis": cache,
        "configuration": configuration_checks,
        "static files": static_files,
        "web": web,
        "worker": worker,
        "beat": beat,
        "watchdog": watchdog,
        "browser": browser,
    }


def python() -> Look:
    """The interpreter's version."""
    good = sys.version_info[:2] >= OLDEST_PYTHON
    return ("ok" if good else "wrong", platform.python_version(), "install Python 3.11 or newer")


def data_folder() -> Look:
    """Whether the data folder can be written."""
    var = settings.HEALTHPILOT_VAR
    good = os.access(var, os.W_OK | os.X_OK)
    mend = "make it writable, or set HEALTHPILOT_VAR to another place"
    return "ok" if good else "wrong", str(var), mend


def disk() -> Look:
    """Free space where the data folder lies."""
    free = shutil.disk_usage(settings.HEALTHPILOT_VAR).free
    state = "wrong" if free < preparation.NEEDED_BYTES else "warning" if free < LOW_SPACE_BYTES else "ok"
    mend = "free some space, or set HEALTHPILOT_VAR to another place"
    return state, f"{free / 1e9:.1f} GB free", mend


def database() -> Look:
    """Whether PostgreSQL answers, and its version."""
    if is_asleep("postgres"):
        return "wrong", "the embedded PostgreSQL is not running", START
    preparation.require_database()
    version = int(getattr(connection, "pg_version", 0))
    good = version >= OLDEST_POSTGRESQL
    seen = f"PostgreSQL {version // 10000}.{version % 10000}"
    return "ok" if good else "wrong", seen, "use PostgreSQL 15 or newer"


def migrations() -> Look:
    """Whether the tables are those of this version."""
    if is_asleep("postgres"):
        return "warning", "not known while the database is not running", START
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    seen = f"{len(missing)} not applied" if missing else "all applied"
    return "wrong" if missing else "ok", seen, "run ./run manage migrate"


def cache() -> Look:
    """Whether Redis (or Valkey) answers."""
    if is_asleep("valkey"):
        return "wrong", "the embedded Valkey is not running", START
    preparation.require_redis()
    address = configuration.redis_address(settings.REDIS_URL)
    with redis.Redis.from_url(address, socket_timeout=PING_LIMIT_S) as link:
        facts: dict[str, str] = link.info("server")
    name = facts.get("server_name", "redis")
    return "ok", f"{name} {facts.get('valkey_version', facts.get('redis_version'))}", ""


def is_asleep(part: str) -> bool:
    """Say whether an embedded server is the one to ask, and does not run."""
    servers = {"postgres": embedded.postgres.answers, "valkey": embedded.valkey.answers}
    return part in commandline.embedded_parts() and not servers[part](settings.HOME)


def configuration_checks() -> Look:
    """What Django's and our own system checks say."""
    found = [
        message for message in checks.run_checks(databases=["default"]) if message.level >= checks.WARNING
    ]
    if not found:
        return "ok", f"days are those of {settings.COST_TIMEZONE}", ""
    worst = max(found, key=lambda message: message.level)
    state = "wrong" if worst.level >= checks.ERROR else "warning"
    return state, f"{worst.id}: {worst.msg}", worst.hint or "run ./run manage check"


def static_files() -> Look:
    """Whether the static files are collected."""
    built = settings.PLAIN_STATIC or (settings.STATIC_ROOT / "staticfiles.json").exists()
    seen = "served as they are" if settings.PLAIN_STATIC else "collected" if built else "not collected"
    return ("ok" if built else "wrong", seen, "run ./run manage collectstatic --no-input")


def web() -> Look:
    """Whether this copy's web server runs."""
    start = processes.current(settings.HEALTHPILOT_VAR)
    return "ok" if start else "wrong", start.url if start else "not running", START


def worker() -> Look:
    """Whether a Celery worker answers within PING_LIMIT_S."""
    try:
        with app.connection_for_write(connect_timeout=PING_LIMIT_S) as link:
            answers = app.control.ping(timeout=PING_LIMIT_S, limit=1, connection=link)
    except Exception as error:  # the broker's transports raise errors of many libraries
        return "wrong", f"cannot be asked ({type(error).__name__})", START
    names = ", ".join(name for answer in answers for name in answer)
    return "ok" if names else "wrong", names or "no answer", START


def beat() -> Look:
    """Whether the scheduler runs on this machine; one that runs elsewhere cannot be seen from here."""
    return role("beat", f"{START}, or run beat on one other machine")


def watchdog() -> Look:
    """Whether somebody here would tell of a collector, worker or beat that stands still."""
    return role("watchdog", f"{START}, or run ./run manage watchdog on another machine")


def role(name: str, mend: str) -> Look:
    """Whether a process of this copy plays a role."""
    running = any(
        process.environ().get("HEALTHPILOT_ROLE") == name
        for process in processes.belonging(settings.HEALTHPILOT_VAR)
    )
    return "ok" if running else "warning", "runs" if running else "not seen on this machine", mend


def browser() -> Look:
    """Whether the end-to-end tests would find a browser; nothing else needs one."""
    named = os.environ.get("HEALTHPILOT_CHROMIUM", "")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), "")
    return ("ok" if found else "warning", found or "none", "only for tests: ./run test installs one")
