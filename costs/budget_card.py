"""The card of the cost page that says how much of the budget of everything is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from costs import budget_queries
from costs.budget_controls import CapLine, control_of
from costs.queries import Day
from costs.throttle.amounts import nano
from costs.throttle.scopes import GLOBAL

MOST: Final = 200
ZERO: Final = Decimal(0)
WORDS: Final = {"ok": "Within", "warn": "Near", "error": "Over"}
# How the caps on everything are called where each stands for itself.
PERIODS: Final = {
    "Spend a day": "today’s spend",
    "Spend a month": "this month’s spend",
    "Jobs a day": "today’s jobs",
    "CPU time a day": "today’s CPU time",
    "Input tokens a day": "today’s input tokens",
    "Output tokens a day": "today’s output tokens",
}


@dataclass(frozen=True)
class BudgetCard:
    """The fullest cap on everything, where there is one; others is how many more caps everything has.

    elsewhere: how many budgets there are on a part of everything alone.
    """

    fullest: CapLine | None = None
    others: int = 0
    elsewhere: int = 0

    @property
    def word(self) -> str:
        return WORDS[self.fullest.status] if self.fullest else ""

    @property
    def what(self) -> str:
        """What the fullest cap is on, as part of a sentence."""
        return PERIODS[self.fullest.label] if self.fullest else ""


def budget_card(days: Mapping[date, Day], today: date) -> BudgetCard:
    """Return how full the fullest cap on everything is, as of the last rollup; days hold today's month."""
    budgets = budget_queries.first(MOST)
    first = next((one for one in budgets if one.apply_scope == GLOBAL), None)
    lines = control_of(first, used_of_all(days, today)).lines if first else []
    if not lines:
        return BudgetCard(elsewhere=len(budgets) - bool(first))
    return BudgetCard(max(lines, key=lambda line: line.used or 0), len(lines) - 1)


def used_of_all(days: Mapping[date, Day], today: date) -> tuple[int, ...]:
    """Return what everything used, in the order of the caps' places."""
    now = days[today]
    month = sum((row.cost_exact for day, row in days.items() if today.replace(day=1) <= day <= today), ZERO)
    return (now.cpu_ms, now.jobs, now.tokens_in, now.tokens_out, nano(now.cost_exact), nano(month))
