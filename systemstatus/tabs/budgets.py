"""The tab Budgets: every limit, how far each figure is from it, and what it did in the past week."""

from django.http import QueryDict

from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.tabs import generic


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    return generic.read(moment, tuple(Layer))
