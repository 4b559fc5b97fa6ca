"""The page that shows how to record, and whether anything arrives."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from healthpilot.web.access import staff_required
from healthpilot.web.answers import page_or_fragment
from healthpilot.web.templatetags.figures import relative
from telemetry.queries import LastEvent, last_event
from telemetry.snippets import SNIPPETS

logger = logging.getLogger(__name__)

LIVE_FOR = timedelta(minutes=5)


@staff_required
@require_safe
@never_cache
def instrument(request: HttpRequest) -> HttpResponse:
    """Show a snippet for each way to record; for HTMX only the line that says what arrived last."""
    return page_or_fragment(
        request,
        page="telemetry/instrument.html",
        fragment="telemetry/_last_event.html",
        context={"snippets": SNIPPETS, "ingest_url": ingest_url(request), **arrival(timezone.now())},
    )


def ingest_url(request: HttpRequest) -> str:
    """Return where other programs send events, as this browser reaches the site."""
    return request.build_absolute_uri("/api/ingest/events")


def arrival(now: datetime) -> dict[str, Any]:
    """Return what the line says: nothing yet, live, quiet for a while, or not known."""
    try:
        event = last_event(now)
    except DatabaseError:
        logger.exception("The last event could not be read.")
        return {"arrival": "unknown"}
    if event is None:
        return {"arrival": "waiting"}
    state = "live" if now - event.created_at < LIVE_FOR else "quiet"
    return {"arrival": state, "event": event, "age": age(event, now)}


def age(event: LastEvent, now: datetime) -> str:
    """Return how long ago an event ended: to the second at first, then in the largest unit that fits."""
    passed = max(now - event.created_at, timedelta())
    return f"{passed.seconds} s ago" if passed < timedelta(minutes=2) else relative(passed)
