"""The tab Audit: who changed what, and when."""

from django.http import QueryDict

from systemstatus.moment import Moment
from systemstatus.tabs import generic


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    return generic.read(moment, ())
