"""Takes one app's migrations back and brings everything up to date again."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command


@contextmanager
def migrated_to(app: str, name: str | None) -> Iterator[None]:
    """Hold the database at an app's named migration, or before its first one."""
    try:
        call_command("migrate", app, name or "zero", verbosity=0)
        yield
    finally:
        call_command("migrate", verbosity=0)
