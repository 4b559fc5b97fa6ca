"""The eleven tabs of System Status, in their order: one module and one template each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict
from django.urls import reverse

from systemstatus.moment import Moment
from systemstatus.registry import Layer, Module
from systemstatus.tabs import (
    alerts,
    api,
    audit,
    budgets,
    database,
    health,
    integrations,
    jobs,
    overview,
    portals,
    storage,
)


@dataclass(frozen=True)
class Tab:
    """One tab: its address, its words, the layers whose modules colour it, and what it reads.

    read: takes the moment that is shown and the query string; returns the template's context in at most four
    queries. It runs no probe and calls nobody: snapshots and tables of this database only. is_kept: it shows
    nothing but snapshots and alerts, holds no form that changes something, and so is rendered once a minute.
    only: the names of its layers' modules that it tells of; empty for all of them.
    """

    slug: str
    title: str
    lede: str
    layers: tuple[Layer, ...]
    read: Callable[[Moment, QueryDict], dict[str, object]]
    is_kept: bool = False
    only: frozenset[str] = frozenset()

    def shows(self, module: Module) -> bool:
        """Whether the tab tells of a module, and so takes its colour."""
        return module.layer in self.layers and (not self.only or module.name in self.only)

    @property
    def template(self) -> str:
        return f"systemstatus/tabs/{self.slug}.html"

    @property
    def url(self) -> str:
        return reverse("status:tab", args=[self.slug]) if self.slug != FIRST else reverse("status:overview")


FIRST: Final = "overview"
EVERY: Final = tuple(Layer)
TABS: Final = (
    Tab(
        "overview",
        "Overview",
        "Is it up, is it fast, which layer is failing, what changed.",
        EVERY,
        overview.read,
        is_kept=True,
    ),
    Tab(
        "budgets",
        "Budgets",
        "Every limit, how far each figure is from it, and what it did in the past week.",
        EVERY,
        budgets.read,
        is_kept=True,
    ),
    Tab(
        "health",
        "Health",
        "Every check: how it ended, how long it took, and when it was well for the last time.",
        EVERY,
        health.read,
        is_kept=True,
    ),
    Tab(
        "api",
        "API",
        "Calls, errors and latency of each route.",
        (Layer.APP,),
        api.read,
        only=frozenset({api.MODULE}),
    ),
    Tab(
        "database",
        "Database",
        "What PostgreSQL does, what stands in its way, and what mends it.",
        (Layer.DATABASE,),
        database.read,
        is_kept=True,
    ),
    Tab("jobs", "Jobs", "Queues, workers, what runs and what waits.", (Layer.QUEUE,), jobs.read),
    Tab(
        "storage",
        "Storage",
        "Redis, disks and object storage.",
        (Layer.CACHE, Layer.STORAGE),
        storage.read,
        is_kept=True,
    ),
    Tab(
        "integrations",
        "Integrations",
        "Services of others, and how they answer.",
        (Layer.INTEGRATION,),
        integrations.read,
        is_kept=True,
    ),
    Tab(
        "portals",
        "Portals",
        "Whether people can reach us, and how fast pages are for them.",
        (Layer.EDGE,),
        portals.read,
    ),
    Tab("alerts", "Alerts", "What is open, why, who was told, and what is kept quiet.", EVERY, alerts.read),
    Tab("audit", "Audit", "Who changed what, and when.", (), audit.read),
)
BY_SLUG: Final[Mapping[str, Tab]] = {tab.slug: tab for tab in TABS}
