"""The tab Jobs: queues, workers, what runs and what waits."""

from django.http import QueryDict

from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.tabs import generic


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    return generic.read(moment, (Layer.QUEUE,))
