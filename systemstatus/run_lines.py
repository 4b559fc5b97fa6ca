"""What came of checks that somebody had run of late, as pages show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.cache import cache

from systemstatus import registry
from systemstatus.registry import Module
from systemstatus.runs import KEPT
from systemstatus.tabs.generic import CHECKS

TABS: Final = ("health", "integrations")


@dataclass(frozen=True)
class Ended:
    """One check of a run: its name, how it ended in a status and a word, how long it took, what it said."""

    name: str
    status: str
    word: str
    ms: float
    said: str


@dataclass(frozen=True)
class Run:
    """A module's checks as somebody had them run; checks: None until a worker is done with them."""

    module: Module
    actor: str
    asked_at: datetime
    job_id: int
    checks: tuple[Ended, ...] | None


def lately() -> list[Run]:
    """Return the runs of the last 15 minutes, the newest first; the job itself tells where Redis lost one."""
    names = {f"{KEPT}{name}": module for name, module in registry.registered.items()}
    found = [run_of(names[key], told) for key, told in cache.get_many(names).items()]
    return sorted(found, key=lambda run: run.asked_at, reverse=True)


def run_of(module: Module, told: Mapping[str, Any]) -> Run:
    checks = told.get("checks")
    made = None if checks is None else tuple(ended_of(check) for check in checks)
    return Run(module, told["actor"], datetime.fromisoformat(told["at"]), told["job"], made)


def ended_of(check: Mapping[str, Any]) -> Ended:
    status, word = CHECKS.get(check["state"], CHECKS["unknown"])
    return Ended(check["name"], status, word, check["ms"], check["said"])
