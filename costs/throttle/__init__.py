"""Stops spending before it happens: every budget that applies is asked, and what work needs is reserved."""

from costs.throttle.admission import check_budget_and_maybe_defer, renew, settle
from costs.throttle.verdict import Rule, Verdict
from healthpilot.admission import BudgetDeferred

__all__ = ["BudgetDeferred", "Rule", "Verdict", "check_budget_and_maybe_defer", "renew", "settle"]
