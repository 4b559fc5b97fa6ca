"""Rendered tabs, kept in Redis for as long as the snapshots, alerts and changes behind them are the same.

What is kept can be lost at any moment and is made anew. A panel holds nothing of a person: no token, no name.
A whole page holds both, so it is kept for one session's own secret, as the cost page is.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.messages import get_messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from healthpilot.cache import ForgivingRedisCache
from healthpilot.web import VERSION
from healthpilot.web.answers import wants_fragment
from healthpilot.web.roles import role_of
from systemstatus.heartbeats import stamp
from systemstatus.moment import GONE_AFTER_S, OLD_AFTER_S, Moment
from systemstatus.tabs import Tab

KEPT_S: Final = 90
# What changes without a snapshot, an alert or an entry of the trail: never kept as a whole.
LIVE: Final = frozenset({("jobs", ""), ("alerts", "messages"), ("audit", "chain")})
AGE: Final = re.compile(rb'data-captured="[^"]*"|data-age>updated [\d:]+<')


def page(request: HttpRequest, key: str, make: Callable[[], HttpResponse]) -> HttpResponse:
    """Return a page as it was kept under a key, or made now and kept; an empty key keeps nothing.

    What is kept is as good as new, for all that it depends on was just asked for: it says that it is.
    """
    found: bytes | None = cache.get(key) if key else None
    if found is not None:
        return HttpResponse(AGE.sub(aged(timezone.now()), found))
    answer = make()
    if key and answer.status_code == 200 and not ForgivingRedisCache.is_away():
        cache.set(key, answer.content, KEPT_S)
    return answer


def aged(now: datetime) -> Callable[[re.Match[bytes]], bytes]:
    """Return what puts a time into a page's own words of its age."""
    iso, clock = f'data-captured="{now.isoformat(timespec="seconds")}"', f"data-age>updated {now:%H:%M:%S}<"
    return lambda found: (iso if found[0].startswith(b"data-captured") else clock).encode()


def page_key(request: HttpRequest, tab: Tab | None, moment: Moment, *more: object) -> str:
    """Return what a page is kept under; empty where it is not: messages show once, live lists change."""
    view = request.GET.get("view", "")
    if tab is None or moment.problem or {(tab.slug, view), (tab.slug, "")} & LIVE or get_messages(request):
        return ""
    get_token(request)  # makes the secret where there is none yet, and the cookie for it
    parts = (
        digest(request, tab, moment), stamp(moment.judged_at), request.get_full_path(),
        wants_fragment(request), request.user.pk, request.user.get_username(), request.COOKIES.get("theme"),
        request.META["CSRF_COOKIE"], *more,
    )  # fmt: skip
    return f"status.page:{hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"


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
        stamp(moment.at) // 60, moment.changed, stamp(moment.newest), moment.grain.minutes,
        moment.is_old, moment.is_gone,
        late_s is None, (late_s or 0) > OLD_AFTER_S, (late_s or 0) > GONE_AFTER_S,
        [(one.pk, one.state, one.severity, one.value, one.acknowledged_by, stamp(one.closed_at))
         for one in moment.recent],
    )  # fmt: skip
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
