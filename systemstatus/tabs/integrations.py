"""The tab Integrations: services of others, and how they answer."""

from django.http import QueryDict

from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.tabs import generic


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    return generic.read(moment, (Layer.INTEGRATION,))
