"""How each module stands at a moment: its snapshot and its alerts taken together, in one status and word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from systemstatus import registry
from systemstatus.models import Alert, ModuleState, Seen, Severity
from systemstatus.moment import Moment
from systemstatus.registry import Layer, Module

OK, WARN, ERROR, UNKNOWN, OFF, NONE = "ok", "warn", "error", "unknown", "info", ""
# How bad; what is not configured and what does not apply are no states of health.
RANK: Final = {NONE: 0, OFF: 0, OK: 1, UNKNOWN: 2, WARN: 3, ERROR: 4}
BY_STATE: Final = {
    ModuleState.OK: OK,
    ModuleState.WARNING: WARN,
    ModuleState.CRITICAL: ERROR,
    ModuleState.UNKNOWN: UNKNOWN,
    ModuleState.SKIPPED: UNKNOWN,
    ModuleState.DISABLED: OFF,
}
WORDS: Final = {
    OK: "OK",
    WARN: "Warning",
    ERROR: "Error",
    UNKNOWN: "Unknown",
    OFF: "Not configured",
    NONE: "",
}
DOWN_AFTER_RUNS: Final = 3
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Standing:
    """One module at a moment.

    status: ok, warn, error, unknown, or info for what is not configured. own: the same by its snapshot alone.
    alerts: those of it that had fired and were open.
    """

    module: Module
    row: Seen | None
    status: str
    own: str
    alerts: tuple[Alert, ...] = ()

    @property
    def word(self) -> str:
        """The word for its status; a service that nobody asked of late is unproven."""
        is_quiet = self.status == UNKNOWN and self.row is not None and self.row.state == ModuleState.SKIPPED
        return "Unproven" if is_quiet and self.module.layer == Layer.INTEGRATION else WORDS[self.status]

    @property
    def unwell_since(self) -> datetime | None:
        """When the last of its failing or unknown checks was well for the last time."""
        bad = [check for check in checks_of(self.row) if check["state"] in {"failed", "crashed", "unknown"}]
        times = [datetime.fromisoformat(check["last_ok"]) for check in bad if check["last_ok"]]
        return min(times) if len(times) == len(bad) and times else None

    def is_down(self, at: datetime) -> bool:
        """Whether its checks failed three times in a row, however slow the evaluation of alerts is."""
        if self.own != ERROR:
            return False
        since = self.unwell_since
        return since is None or at - since >= DOWN_AFTER_RUNS * MINUTE

    def is_long_unknown(self, at: datetime, limit_s: float) -> bool:
        """Whether nothing is known of it for longer than so many seconds; at a first start nothing is yet."""
        blank = [check for check in checks_of(self.row) if check["state"] in {"unknown", "crashed"}]
        since = min((datetime.fromisoformat(one.get("since") or one["at"]) for one in blank), default=at)
        return (at - since).total_seconds() > limit_s


def checks_of(row: Seen | None) -> Sequence[dict[str, str]]:
    return row.checks if row else ()


def standings(moment: Moment) -> list[Standing]:
    """Return every watched module as it stands, in the order of the registry."""
    by_module: dict[str, list[Alert]] = {}
    for alert in moment.alerts:
        by_module.setdefault(alert.module, []).append(alert)
    return [standing(module, moment, tuple(by_module.get(module.name, ()))) for module in registry.modules()]


def standing(module: Module, moment: Moment, alerts: tuple[Alert, ...]) -> Standing:
    row = moment.rows.get(module.name)
    own = UNKNOWN if row is None or moment.is_gone else BY_STATE[ModuleState(row.state)]
    told = [of_alert(alert) for alert in alerts]
    return Standing(module, row, UNKNOWN if moment.is_gone else worst([own, *told]), own, alerts)


def of_alert(alert: Alert) -> str:
    """Return the status that an alert gives what it is about."""
    if alert.state in {"no_data", "error"}:
        return UNKNOWN
    return {Severity.CRITICAL: ERROR, Severity.WARNING: WARN}.get(Severity(alert.severity), OK)


def worst(statuses: Iterable[str]) -> str:
    return max(statuses, key=lambda status: RANK[status], default=NONE)


def of_layers(standings: Iterable[Standing], layers: Sequence[Layer]) -> list[Standing]:
    return [one for one in standings if one.module.layer in layers]
