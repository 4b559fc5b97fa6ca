"""Answers for outside monitors: whether this process can serve, and whether System Status still collects."""

from typing import Final

from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from healthpilot.web.access import open_to_all
from systemstatus.queries import newest_minute
from systemstatus.thresholds import BY_ID

PLAIN: Final = "text/plain; charset=utf-8"
RETRY_S: Final = "15"
LIMITS: Final = "-c statement_timeout=2s -c lock_timeout=1s -c application_name=healthpilot-ready"


@open_to_all
@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 while PostgreSQL answers, 503 otherwise; Redis is not needed to serve a page."""
    try:
        ask_database()
    except DatabaseError:
        return said("PostgreSQL does not answer", status=503)
    return said("ready")


@open_to_all
@require_safe
@never_cache
def collector(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the newest snapshot is fresh enough, 503 from five minutes on or without any."""
    try:
        newest = newest_minute()
    except DatabaseError:
        return said("PostgreSQL does not answer", status=503)
    if newest is None:
        return said("nothing was collected yet", status=503)
    age_s = max((timezone.now() - newest).total_seconds(), 0) * settings.STATUS_RATE
    budget = BY_ID["collector.age"]
    word = "late" if age_s >= budget.warning else "ok"
    return said(
        f"{word}: the newest snapshot is {age_s:.0f} s old", status=200 if age_s < budget.critical else 503
    )


def ask_database() -> None:
    """Ask over a connection of its own that waits two seconds; raises DatabaseError."""
    own = connections.create_connection("default")
    own.settings_dict = own.settings_dict | {
        "OPTIONS": own.settings_dict["OPTIONS"]
        | {"options": LIMITS, "connect_timeout": 2, "patience_s": 3, "is_apart": True}
    }
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        own.close()


def said(text: str, *, status: int = 200) -> HttpResponse:
    """Return one line of text; a monitor that is refused is told when to ask again."""
    headers = {} if status < 400 else {"Retry-After": RETRY_S}
    return HttpResponse(f"{text}\n", content_type=PLAIN, status=status, headers=headers)
