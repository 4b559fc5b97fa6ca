"""Which routes, tasks and outbound clients of the project nobody watches or counts."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from celery import current_app
from django.conf import settings
from django.urls import get_resolver

from systemstatus import registry

MIDDLEWARE: Final = "telemetry.requests.count_requests"
# Tasks that telemetry leaves out, and what sees them all the same.
SEEN_OTHERWISE: Final = {
    "dataqueue.run": "the job that it carries is recorded",
    "systemstatus.canary": "its answer is timed",
}
SOURCES: Final = ("healthpilot", "telemetry", "costs", "systemstatus", "governance")


@dataclass(frozen=True)
class Coverage:
    """What there is of each kind, what no module claims, and what nothing counts."""

    known: dict[str, list[str]] = field(default_factory=dict)
    unclaimed: dict[str, list[str]] = field(default_factory=dict)
    uncounted: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return not any([*self.unclaimed.values(), *self.uncounted.values()])

    @property
    def share(self) -> float:
        """What is claimed and counted of everything, in percent."""
        every = sum(len(names) for names in self.known.values())
        lacking = {(kind, name) for group in (self.unclaimed, self.uncounted)
                   for kind, names in group.items() for name in names}  # fmt: skip
        return round(100 * (every - len(lacking)) / every, 1) if every else 0.0


def coverage() -> Coverage:
    """Return how the project is covered now."""
    known = {"routes": routes(), "tasks": tasks(), "clients": clients()}
    modules = registry.modules()
    claims = {
        "routes": [claim for module in modules for claim in module.routes],
        "tasks": [claim for module in modules for claim in module.tasks],
        "clients": [f"{name}$" for module in modules for name in module.clients],
    }
    unclaimed = {
        kind: [name for name in names if not is_claimed(name, claims[kind])] for kind, names in known.items()
    }
    counted = MIDDLEWARE in settings.MIDDLEWARE
    uncounted = {
        "routes": [] if counted else known["routes"],
        "tasks": [name for name in known["tasks"] if not is_counted(name)],
        "clients": [],
    }
    return Coverage(known, unclaimed, uncounted)


def is_claimed(name: str, claims: Iterable[str]) -> bool:
    """Say whether a name begins as a claim says; a claim that ends in $ is the whole name."""
    return any(name == claim[:-1] if claim.endswith("$") else name.startswith(claim) for claim in claims)


def routes() -> list[str]:
    """Return the template of every route, as requests are counted by it."""
    return sorted({f"/{route}" for route in walk(get_resolver().url_patterns)})


def walk(patterns: Iterable[Any], base: str = "") -> Iterator[str]:
    """Yield the routes below patterns."""
    for pattern in patterns:
        route = f"{base}{pattern.pattern}"
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route


def tasks() -> list[str]:
    """Return the name of every Celery task of the project."""
    current_app.loader.import_default_modules()
    return sorted(name for name in current_app.tasks if not name.startswith("celery."))


def is_counted(name: str) -> bool:
    """Say whether something sees a task's runs: telemetry, the schedule's lateness, or what it carries."""
    skipped = any(fnmatchcase(name, pattern) for pattern in settings.TELEMETRY_SKIPPED_TASKS)
    scheduled = {entry["task"] for entry in (current_app.conf.beat_schedule or {}).values()}
    return not skipped or name in scheduled or name in SEEN_OTHERWISE


@lru_cache(maxsize=1)
def clients() -> list[str]:
    """Return the name of every outbound client that the source makes or counts for."""
    found: set[str] = set()
    for folder in SOURCES:
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.py")):
            found.update(clients_in(path.read_text()))
    return sorted(found)


def clients_in(source: str) -> Iterator[str]:
    """Yield the names in calls of Client("name", …) and observe("name", …)."""
    if "Client(" not in source and "observe(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"Client", "observe"} and isinstance(node.args[0].value, str):
                yield node.args[0].value
