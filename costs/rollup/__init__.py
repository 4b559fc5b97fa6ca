"""The daily rollup: usage partials × prices → cost tables, one transaction a day, exact to the last digit."""

from costs.rollup.day import FutureDay, rollup_costs_for_date
from costs.rollup.lease import LeaseLost, RollupBusy
from costs.rollup.result import DayCost

__all__ = ["DayCost", "FutureDay", "LeaseLost", "RollupBusy", "rollup_costs_for_date"]
