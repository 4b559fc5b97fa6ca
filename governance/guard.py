"""The guard for commands that do not come through manage.py (django-admin, call_command), once a process."""

import functools
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from governance import gate, preflight

PREFIX = "governance."


def install() -> None:
    """Wrap the one method through which every command runs, whatever system checks it skips."""
    if hasattr(BaseCommand.execute, "governed"):
        return
    original = BaseCommand.execute

    @functools.wraps(original)
    def execute(self: BaseCommand, *args: Any, **options: Any) -> Any:
        check_once(type(self).__module__.rpartition(".")[2])
        return original(self, *args, **options)

    execute.governed = True  # type: ignore[attr-defined] # the mark that it is installed
    BaseCommand.execute = execute  # type: ignore[method-assign] # the guard is this replacement


def check_once(command: str) -> None:
    """Judge the first command of a process, unless manage.py's preflight did.

    Raises:
        CommandError: it is blocked; exit code 2 on a command line.
    """
    if preflight.done or command in preflight.ALWAYS:
        return
    preflight.done = True
    lines, blocked = gate.check_command(command, preflight.ROOT)
    if blocked:
        preflight.done = False
        raise CommandError("\n".join(lines), returncode=2)
    gate.say(lines)


def refuse_silence() -> None:
    """Raise ImproperlyConfigured where the settings silence one of the documents' checks."""
    silenced = [name for name in settings.SILENCED_SYSTEM_CHECKS if name.startswith(PREFIX)]
    if silenced:
        raise ImproperlyConfigured(
            f"SILENCED_SYSTEM_CHECKS holds {', '.join(silenced)}: mend the documents instead "
            "(./run manage governance verify), and take it out."
        )
