"""Rendered tabs, kept in Redis for as long as the snapshots and alerts behind them are the same.

What is kept can be lost at any moment and is made anew. It holds nothing of a person: no token, no name.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.cache import cache
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from healthpilot.web import VERSION
from healthpilot.web.roles import role_of
from systemstatus.heartbeats import stamp
from systemstatus.moment import GONE_AFTER_S, OLD_AFTER_S, Moment
from systemstatus.tabs import Tab

KEPT_S: Final = 90


def panel(
    request: HttpRequest, tab: Tab, moment: Moment, make: Callable[[], Mapping[str, Any]]
) -> SafeString:
    """Return what a tab shows as HTML: as it was kept for this minute and question, or made now.

    make: returns the template's context; it is called only where nothing is kept.
    """
    if not tab.is_kept:
        return render_to_string(tab.template, dict(make()), request)
    key = f"status.panel:{digest(request, tab, moment)}"
    found: SafeString | None = cache.get(key)
    if found is None:
        found = render_to_string(tab.template, dict(make()), request)
        cache.set(key, found, KEPT_S)
    return found


def digest(request: HttpRequest, tab: Tab, moment: Moment) -> str:
    """Return what a rendered tab depends on, in one word: question, minute, snapshots, alerts, freshness."""
    late_s = moment.unjudged_s
    parts = (
        VERSION, tab.slug, role_of(request.user), sorted(request.GET.lists()), moment.is_past,
        stamp(moment.at) // 60, stamp(moment.newest), moment.grain.minutes, moment.is_old, moment.is_gone,
        late_s is None, (late_s or 0) > OLD_AFTER_S, (late_s or 0) > GONE_AFTER_S,
        [(one.pk, one.state, one.severity, one.value, one.acknowledged_by, stamp(one.closed_at))
         for one in moment.recent],
    )  # fmt: skip
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
