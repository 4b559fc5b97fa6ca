"""What has to be there before web, worker and beat start: servers, tables, an account, figures, static
files.
"""

import errno
import hashlib
import http.client
import io
import json
import secrets
import shutil
import socket
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core.checks import ERROR, run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from healthpilot import configuration, embedded
from healthpilot.embedded import Say

ADMIN = "admin"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - compared with, not listened on
NEEDED_BYTES = 200_000_000
LOG_LIMIT_BYTES = 20_000_000
SEED_DAYS = 60


def prepare(*, seed: bool, say: Say) -> str:
    """Bring database, demonstration, static files and first account up to date; returns how to sign in.

    Raises:
        CommandError: one line on what is missing and how to mend it.
    """
    require_configuration()
    require_database()
    require_redis()
    try:
        call_command("migrate", verbosity=0, interactive=False)
        say_errors(say)
        if seed and is_empty():
            fill(say)
        collect_static(say)
        return account()
    except (OSError, DatabaseError) as error:
        if (
            isinstance(error.__cause__, psycopg.errors.DiskFull)
            or getattr(error, "errno", None) == errno.ENOSPC
        ):
            raise CommandError("The disk is full: free some space and start again.") from error
        raise


def say_errors(say: Say) -> None:
    """Say what the system checks hold for an error, those that ask the database included."""
    for message in run_checks(databases=["default"]):
        if message.level >= ERROR:
            say(f"{message.id}: {message.msg}")


def require_port(bind: str, port: int) -> None:
    """Refuse a port that the web server could not listen on."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except PermissionError as error:
            raise CommandError(
                f"Port {port} needs more rights: choose one above 1023 with --port N."
            ) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CommandError(
                    f"Cannot listen on {bind}: {error.strerror}. Check HEALTHPILOT_BIND."
                ) from error
            raise CommandError(f"Port {port} on {bind} is in use: choose another with --port N.") from error


def require_space(var: Path) -> None:
    """Refuse to start where the database would run out of disk at once."""
    embedded.make_folder(var)
    free = shutil.disk_usage(var).free
    if free < NEEDED_BYTES:
        raise CommandError(
            f"Only {free // 1_000_000} MB are free where {var} lies, {NEEDED_BYTES // 1_000_000} "
            f"MB are needed: "
            "free some space, or set HEALTHPILOT_VAR to another place."
        )


def require_configuration() -> None:
    """Refuse settings that the system checks call wrong; the worst is named."""
    wrong = [message for message in run_checks() if message.level >= ERROR]
    if wrong:
        raise CommandError(f"{wrong[0].id}: {wrong[0].msg} {wrong[0].hint or 'Run ./run manage check.'}")


def require_database() -> None:
    """Refuse to go on without an answer from PostgreSQL; the address is named without its password."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise CommandError(unreachable("DATABASE_URL", settings.DATABASE_URL, error)) from error


def require_redis() -> None:
    """Refuse to go on without an answer from Redis; the address is named without its password."""
    address = configuration.redis_address(settings.REDIS_URL)
    try:
        with redis.Redis.from_url(address, socket_connect_timeout=5, socket_timeout=5) as link:
            link.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        raise CommandError(unreachable("REDIS_URL", settings.REDIS_URL, error)) from error


def unreachable(name: str, url: str, error: Exception) -> str:
    """Return the line for a server that does not answer."""
    cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return (
        f"Cannot reach {name} {configuration.without_password(url)}: {cause}. Start that server, or "
        f"correct {name}."
    )


def is_empty() -> bool:
    """Say whether no event was ever recorded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM telemetry_job_events) AND NOT EXISTS (SELECT FROM "
            "telemetry_llm_events)"
        )
        return bool(cursor.fetchone()[0])


def fill(say: Say) -> None:
    """Make weeks of a synthetic product, price its models and roll it up: the first look shows figures.

    Prices come from the library; the model that the demonstration hosts itself has none, so it is unpriced.
    """
    say(f"Empty database: making a demonstration of {SEED_DAYS} days (--no-seed leaves it empty) …")
    call_command(
        "seed_telemetry", "--days", str(SEED_DAYS), "--users", "300", "--seed", "1", stdout=io.StringIO()
    )
    first = timezone.now().date() - timedelta(days=SEED_DAYS + 1)
    call_command("update_prices", "--yes", "--from", first.isoformat(), stdout=io.StringIO())
    call_command("rollup_costs", "--days", str(SEED_DAYS + 1), stdout=io.StringIO())


def collect_static(say: Say) -> None:
    """Collect and compress the static files when they changed since the last time."""
    if settings.PLAIN_STATIC:
        return
    stamp = settings.STATIC_ROOT.parent / "static.digest"
    state = static_state()
    if stamp.exists() and stamp.read_text() == state and (settings.STATIC_ROOT / "staticfiles.json").exists():
        return
    say("Collecting and compressing the static files …")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(state)


def static_state() -> str:
    """Return a digest over name, size and time of every static file."""
    found = hashlib.sha256()
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            found.update(json.dumps([name, status.st_size, status.st_mtime_ns]).encode())
    return found.hexdigest()


def account() -> str:
    """Make the first account when nobody may administer yet.

    Returns how to sign in, the new password only this once.
    """
    users: Any = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return f"Sign in with your account; ./run manage changepassword {ADMIN} sets a new password."
    password = secrets.token_urlsafe(12)
    users.create_superuser(username=ADMIN, password=password)
    return (
        f"Sign in as {ADMIN} with the password {password} (shown this once; ./run manage "
        f"changepassword {ADMIN} sets another)."
    )


def fresh_log(var: Path) -> Path:
    """Return the log file of a detached start; a large one is put aside first."""
    log = var / "log" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log


def wait_ready(bind: str, port: int, child: subprocess.Popen[bytes], limit_s: float) -> bool:
    """Wait until the web server answers a page without an error of its own.

    Says whether it did while its supervisor lives.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and child.poll() is None:
        if answers(bind, port):
            return True
        time.sleep(0.2)
    return False


def local_address(bind: str) -> str:
    """Return the address at which this machine reaches a server that listens on `bind`."""
    return "127.0.0.1" if bind == ANY_ADDRESS else bind


def answers(bind: str, port: int) -> bool:
    """Say whether the sign-in page comes without a server error; a redirect to https counts."""
    link = http.client.HTTPConnection(local_address(bind), port, timeout=10)
    try:
        link.request("GET", "/accounts/login/")
        return link.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
