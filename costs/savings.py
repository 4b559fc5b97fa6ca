"""Savings and waste of a range: what was not spent, and what was spent for nothing. Both apart from spend."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costs.pricing import EXACT, plain
from costs.queries import Day


@dataclass(frozen=True)
class Savings:
    """Exact USD at each day's prices, and the counts behind them.

    skipped_usd is what skipped calls would have cost (their avoided tokens, and the extra per request);
    cached_usd what cached input tokens would have cost more at the full input price. failed_usd is what
    attempts and calls that failed did cost, retried_usd what attempts after the first did: a retry that fails
    is in both, so the two are not added.
    """

    skipped_usd: Decimal
    cached_usd: Decimal
    failed_usd: Decimal
    retried_usd: Decimal
    skipped_calls: int
    cached_tokens: int
    failures: int
    retries: int
    spend_usd: Decimal

    @classmethod
    def of(cls, days: Iterable[Day]) -> "Savings":
        """Add up days."""
        found = list(days)
        return cls(
            **{name: exact_sum(getattr(day, column) for day in found) for name, column in MONEY.items()},
            skipped_calls=sum(day.cache_hits for day in found),
            cached_tokens=sum(day.cached_tokens for day in found),
            failures=sum(day.job_failures + day.llm_failures for day in found),
            retries=sum(day.job_retries for day in found),
        )

    @property
    def saved_usd(self) -> Decimal:
        return EXACT.add(self.skipped_usd, self.cached_usd)

    @property
    def failed_share(self) -> Decimal | None:
        """Return which part of the spend failed, in percent."""
        return self.failed_usd * 100 / self.spend_usd if self.spend_usd else None

    def as_json(self) -> dict[str, Any]:
        """Return the figures for JSON; money as strings with every digit."""
        money = {name: plain(getattr(self, name)) for name in MONEY if name != "spend_usd"}
        counts = {name: getattr(self, name) for name in COUNTS}
        return {"saved_usd": plain(self.saved_usd), **money, **counts}


MONEY = {
    "skipped_usd": "saved_skipped_exact",
    "cached_usd": "saved_cached_exact",
    "failed_usd": "failed_exact",
    "retried_usd": "retried_exact",
    "spend_usd": "cost_exact",
}
COUNTS = ("skipped_calls", "cached_tokens", "failures", "retries")


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add up amounts; no digit is lost."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
