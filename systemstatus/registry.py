"""What is watched: each app's `status.py` registers modules here, found at start as admin.py is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.utils.module_loading import autodiscover_modules

Value = float | int | Mapping[str, float | int]


class Layer(StrEnum):
    """Where in the product a module stands; the order in which pages show them."""

    EDGE = "edge"
    APP = "app"
    QUEUE = "queue"
    CACHE = "cache"
    DATABASE = "database"
    STORAGE = "storage"
    INTEGRATION = "integration"


class CheckState(StrEnum):
    """How one check ended: failed said no, crashed raised or hung, disabled is not configured."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    CRASHED = "crashed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Reading:
    """What a probe found: numbers by metric (one, or one a target), what a tab lists, and how it stands."""

    values: Mapping[str, Value] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    state: CheckState = CheckState.OK
    note: str = ""


@dataclass(frozen=True)
class Probe:
    """One question asked of a module.

    run: called in a thread with a database connection of the collector's; returns a Reading or raises.
    every_s: how often at most; between, the last answer stands. timeout_s: then it counts as hung.
    counts: its answer is what came since the last pass, so that nobody else may ask it in between.
    """

    name: str
    run: Callable[[], Reading]
    every_s: int = 60
    timeout_s: float = 5.0
    counts: bool = False


@dataclass(frozen=True)
class Metric:
    """A number that a module's probes measure; budget: the row of the thresholds that judges it."""

    id: str
    unit: str
    title: str
    budget: str = ""


@dataclass(frozen=True)
class Module:
    """One part of the product that System Status watches.

    depends_on: names of modules whose failure explains this one's. routes (beginnings of route templates),
    tasks (beginnings of Celery task names) and clients (names of outbound clients) are those it answers for.
    trials: what is asked only when somebody wants to know now, for it costs money or somebody's quota.
    """

    name: str
    title: str
    layer: Layer
    core: bool
    owner: str
    depends_on: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    trials: tuple[Probe, ...] = ()
    metrics: tuple[Metric, ...] = ()
    routes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()


registered: Final[dict[str, Module]] = {}


def register(module: Module) -> Module:
    """Have a module watched from now on; raises ValueError for a name that is taken or no name."""
    if not 0 < len(module.name) <= 40:
        raise ValueError(f"{module.name!r} is no name of a module: use 1 to 40 characters")
    if module.name in registered:
        raise ValueError(f"a module named {module.name} is registered already")
    names = [probe.name for probe in (*module.probes, *module.trials)]
    if len(set(names)) < len(names):
        raise ValueError(f"{module.name} has two probes of one name: {', '.join(sorted(names))}")
    registered[module.name] = module
    return module


def modules() -> Sequence[Module]:
    """Return every module, by layer and then in the order in which they were registered."""
    layers = list(Layer)
    return sorted(registered.values(), key=lambda module: layers.index(module.layer))


def discover() -> None:
    """Import the `status.py` of every installed app."""
    autodiscover_modules("status")
