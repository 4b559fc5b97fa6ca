"""What a token may be allowed to do."""

from typing import Final

COST_READ: Final = "cost:read"
EVENTS_WRITE: Final = "events:write"
BUDGETS_WRITE: Final = "budgets:write"
JOBS_READ: Final = "jobs:read"
STATUS_READ: Final = "status:read"

SCOPES: Final = {
    COST_READ: "read costs: the summary, users, domains, models, tiers and days",
    EVENTS_WRITE: "send telemetry events",
    BUDGETS_WRITE: "set budgets and send test alerts",
    JOBS_READ: "read background jobs: state, progress, result",
    STATUS_READ: "read System Status as metrics, for Prometheus",
}


def unknown_scopes(names: list[str]) -> list[str]:
    """Return the names that no scope bears."""
    return [name for name in names if name not in SCOPES]
