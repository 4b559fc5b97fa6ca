"""The tab Health: every check: how it ended, how long it took, and when it was well for the last time."""

from django.http import QueryDict

from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.tabs import generic


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    return generic.read(moment, tuple(Layer))
