"""Decides once per task whether it is recorded, and what is said of it where its message says nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from telemetry.celery_events.names import domain_of, job_type_of

Resolver = Callable[[Any, Any, Any], Any]

SYSTEM: Final = "system"


@dataclass(frozen=True, slots=True)
class Plan:
    """How the attempts of one task are recorded."""

    job_type: str
    owner: dict[str, Any]
    resolver: Resolver | None


made: Final[dict[str, Plan | None]] = {}


def plan_of(task: Any) -> Plan | None:
    """Return the task's plan, None where it is not recorded; made at its first attempt in this process."""
    name = task.name
    try:
        return made[name]
    except KeyError:
        return made.setdefault(name, make_plan(task))


def make_plan(task: Any) -> Plan | None:
    """Read the task's `telemetry` attribute (False, or a mapping of owners) and the settings."""
    wish = getattr(task, "telemetry", None)
    patterns = getattr(settings, "TELEMETRY_SKIPPED_TASKS", ())
    if wish is False or any(fnmatchcase(task.name, pattern) for pattern in patterns):
        return None
    owner = {"user_id": SYSTEM, "tier": SYSTEM, "domain": domain_of(task.__module__ or "")}
    resolver = getattr(settings, "TELEMETRY_TASK_RESOLVER", "")
    return Plan(
        job_type_of(task.name),
        {**owner, **(wish if isinstance(wish, Mapping) else {})},
        import_string(resolver) if resolver else None,
    )
