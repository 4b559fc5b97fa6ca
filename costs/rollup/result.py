"""What a rollup made of one day, as the command prints it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from costs.pricing import plain


@dataclass(frozen=True)
class Cost:
    """The sums of one day, or of one tier's share of it; tokens_in include cached tokens."""

    jobs: int
    ai_calls: int
    cpu_ms: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    cost_exact: Decimal

    def as_json(self) -> dict[str, Any]:
        """Return the sums for JSON; money as strings, so that no reader takes it for a float."""
        return vars(self) | {"cost_usd": f"{self.cost_usd:.6f}", "cost_exact": plain(self.cost_exact)}


@dataclass(frozen=True)
class DayCost:
    """What one local day cost, for how many users, and by the tier of each event."""

    date: date
    users: int
    total: Cost
    tiers: dict[str, Cost]
    changed_users: int

    def as_json(self) -> dict[str, Any]:
        """Return the day as one JSON object."""
        tiers = {tier: cost.as_json() for tier, cost in self.tiers.items()}
        return {"date": self.date.isoformat(), "users": self.users, **self.total.as_json(), "tiers": tiers}
