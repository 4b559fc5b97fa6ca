"""Rendered parts of the cost pages, kept in Redis for as long as the figures behind them are the same.

What is kept can be lost at any moment and is made anew. A part is the same for everybody of a role, so it
holds nothing of a person: no token, no name, no theme. A whole page is kept for one session.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.messages import get_messages
from django.core.cache import cache
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from costs import queries
from costs.days import local_today
from costs.forms import Asked
from costs.overview import STALE_AFTER
from healthpilot.cache import ForgivingRedisCache
from healthpilot.web import VERSION
from healthpilot.web.roles import role_of
from systemstatus import widget

KEPT_S = 600


@dataclass(frozen=True)
class Part:
    """One part of a page as HTML, the status to answer with, and whether it may be kept."""

    html: SafeString
    status: int
    is_whole: bool = True


@dataclass(frozen=True)
class Wanted:
    """What a request wants: a part by its template and its question, made from the figures of a version."""

    request: HttpRequest
    template: str
    asked: Asked
    make: Callable[[], Mapping[str, Any]]
    version: str


def part(wanted: Wanted) -> Part:
    """Return a part as it was kept for these figures and this question, or made now and kept if whole."""
    request = wanted.request
    key = "costs.part:" + digest(
        wanted.version,
        request.path,
        wanted.template,
        wanted.asked.query(),
        wanted.asked.problems,
        role_of(request.user),
    )
    kept: SafeString | None = cache.get(key)
    if kept is not None:
        return Part(kept, 200)
    context = {**wanted.make(), "version": wanted.version}
    html = render_to_string(wanted.template, context, request)
    if not is_whole(context):
        return Part(html, 404 if context.get("state") == "unknown" else 200, is_whole=False)
    cache.set(key, html, KEPT_S)
    return Part(html, 200)


def page(wanted: Wanted, template: str, context: Mapping[str, Any]) -> tuple[str, int]:
    """Return the page around a part and its status, as it was kept for this session or made now.

    The frame holds the person's name and a CSRF token, so it is kept for the session's own secret alone;
    every token made from that secret is good for as long as it is. Messages show once and so are never kept,
    nor is the banner of an outage. It also shows how everything stands: another status is another page.
    """
    key = page_key(wanted, template)
    may_be_kept = not len(get_messages(wanted.request))
    kept: str | None = cache.get(key) if may_be_kept else None
    if kept is not None:
        return kept, 200
    inside = part(wanted)
    html = render_to_string(template, {**context, "content": inside.html}, wanted.request)
    if may_be_kept and inside.is_whole and not ForgivingRedisCache.is_away():
        cache.set(key, html, KEPT_S)
    return html, inside.status


def page_key(wanted: Wanted, template: str) -> str:
    request = wanted.request
    get_token(request)  # makes the secret where there is none yet, and the cookie for it
    return "costs.page:" + digest(
        wanted.version,
        template,
        request.get_full_path(),
        request.user.pk,
        request.user.get_username(),
        role_of(request.user),
        request.COOKIES.get("theme"),
        request.META["CSRF_COOKIE"],
        widget.kept(),
    )


def is_whole(context: Mapping[str, Any]) -> bool:
    """Return whether a part may be kept: its figures are there, and none was left out for want of time."""
    problems = [context.get(name) for name in ("change_problem", "events_problem", "extremes_problem")]
    parts = [panel.problem for panel in context.get("parts", ())]
    return context.get("state", "ready") == "ready" and not any([*problems, *parts])


def current_version() -> str:
    """Return the version of all figures; it also changes at midnight, and when they become stale."""
    now = timezone.now()
    figures = queries.rollup_version()
    newest = figures.partition("/")[0]
    age = now.timestamp() - float(newest) if newest != "None" else 0
    is_stale = timedelta(seconds=age) > STALE_AFTER
    return digest(figures, local_today(now), is_stale, VERSION)


def digest(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
