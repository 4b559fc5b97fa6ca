"""Runs a management command with a database behind it: starts the embedded pair for its duration when
none runs.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

from healthpilot import configuration, embedded

# These need no database, or bring it up themselves.
WITHOUT_DATABASE = {
    "help",
    "version",
    "check",
    "up",
    "doctor",
    "collectstatic",
    "findstatic",
    "diffsettings",
    "makemigrations",
    "governance",
}


def run(arguments: Sequence[str]) -> None:
    """Run manage.py's arguments; ends the process with one line when the embedded pair cannot start."""
    from django.core.management import execute_from_command_line

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)
    try:
        with services(arguments):
            execute_from_command_line(list(arguments))
    except (embedded.EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(str(error))
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """End in order, so that what was started is stopped."""
    sys.exit(128 + number)


@contextlib.contextmanager
def services(arguments: Sequence[str]) -> Iterator[None]:
    """Hold the embedded parts that a command needs.

    Nothing where the environment names servers or none is needed.
    """
    parts = embedded_parts()
    if not parts or not needs_database(arguments):
        yield
        return
    home = embedded.Home(configuration.data_folder())
    with embedded.using(home, parts=parts, say=lambda line: print(line, file=sys.stderr)):
        if "postgres" in parts and "migrate" not in arguments[1:2]:
            migrate_when_new(home)
        yield


def embedded_parts() -> tuple[str, ...]:
    """Return which of the two servers come from wheels: those whose address the environment does not name."""
    named = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
    return tuple(part for part, variable in named.items() if not os.environ.get(variable, "").strip())


def needs_database(arguments: Sequence[str]) -> bool:
    """Say whether a command line wants the database: unknown commands do, help never does."""
    command = next(iter(arguments[1:]), "help")
    asks_for_help = {"-h", "--help", "--version"} & set(arguments[1:])
    return not asks_for_help and (command not in WITHOUT_DATABASE or "--database" in arguments)


def migrate_when_new(home: embedded.Home) -> None:
    """Make the tables of a database that has none yet."""
    if embedded.postgres.has_tables(home):
        return
    import django
    from django.core.management import call_command

    django.setup()
    print("New database: making its tables …", file=sys.stderr)
    call_command("migrate", verbosity=0, interactive=False)
