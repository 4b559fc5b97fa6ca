"""The figures of the cost page: rows in, plain figure dicts out; no database, no plotly objects."""

from costs.charts.domains import jobs_by_domain
from costs.charts.parts import Timeline
from costs.charts.tiers import cost_by_tier
from costs.charts.tokens import tokens_and_hits

__all__ = ["Timeline", "cost_by_tier", "jobs_by_domain", "tokens_and_hits"]
