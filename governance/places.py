"""Where in the repository something is defined."""

import functools
import inspect
import os
from typing import Any

from governance.preflight import ROOT


def unwrapped(thing: Any) -> Any:
    """Return what decorators and partials stand for, a class for its as_view()."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    thing = inspect.unwrap(thing)
    return getattr(thing, "view_class", thing)


def place_of(thing: Any) -> tuple[str, int]:
    """Return path and line of a function's or class's definition, from the repository's top; '' where
    nobody wrote one.
    """
    try:
        source = inspect.unwrap(unwrapped(thing))
        path = inspect.getsourcefile(source) or ""
        line = inspect.getsourcelines(source)[1]
    except (TypeError, OSError):
        return "", 1
    return os.path.relpath(path, ROOT), max(1, line)


def symbol_of(thing: Any) -> str:
    """Return path#name of a function or class."""
    name = getattr(unwrapped(thing), "__qualname__", "").split(".<locals>")[0]
    return f"{place_of(thing)[0]}#{name}" if name else place_of(thing)[0]


def is_ours(thing: Any) -> bool:
    """Say whether something is defined in this repository rather than in a package."""
    path = place_of(thing)[0]
    return bool(path) and not path.startswith("..") and "site-packages" not in path
