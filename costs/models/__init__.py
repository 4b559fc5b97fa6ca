"""Usage partials, prices and the daily cost tables."""

from costs.models.budgets import NO_CAP, NO_CAP_USD, CostBudget, CostDecision
from costs.models.daily import (
    RANGE_DAYS,
    CostBreakdownDaily,
    CostDay,
    CostGlobalDaily,
    CostSettings,
    CostUserDaily,
    CostUserWindow,
    CostWindow,
)
from costs.models.fields import ExactDecimalField
from costs.models.prices import ModelPrice
from costs.models.usage import UsageDaily, UsageHourly, UsageSums, UsageUserHourly, UsageWaitDaily

__all__ = [
    "NO_CAP",
    "NO_CAP_USD",
    "RANGE_DAYS",
    "CostBreakdownDaily",
    "CostBudget",
    "CostDay",
    "CostDecision",
    "CostGlobalDaily",
    "CostSettings",
    "CostUserDaily",
    "CostUserWindow",
    "CostWindow",
    "ExactDecimalField",
    "ModelPrice",
    "UsageDaily",
    "UsageHourly",
    "UsageSums",
    "UsageUserHourly",
    "UsageWaitDaily",
]
