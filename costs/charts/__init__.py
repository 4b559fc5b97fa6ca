"""The figures of the cost page: rows in, plain figure dicts out; no database, no plotly objects."""

from costs.charts.domains import jobs_by_domain
from costs.charts.history import subject_history
from costs.charts.month import month_to_date
from costs.charts.parts import Timeline
from costs.charts.tiers import cost_by_tier
from costs.charts.tokens import tokens_and_hits

__all__ = [
    "Timeline",
    "cost_by_tier",
    "jobs_by_domain",
    "month_to_date",
    "subject_history",
    "tokens_and_hits",
]
