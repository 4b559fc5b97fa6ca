"""What goes wrong, said clearly: one page in the look of the rest, a notice for HTMX, JSON for the API."""

import logging
import sys
import uuid

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from healthpilot.web import answers

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 5
MESSAGES = {
    400: ("bad_request", "This request could not be read", "Check the address, or go back and try again."),
    403: ("forbidden", "You may not open this page", "Ask an administrator for access."),
    404: ("not_found", "There is no such page", "Check the address, or start again from the front page."),
    500: (
        "server_error",
        "Something went wrong here",
        "It has been written to the log. Try again in a moment.",
    ),
    503: (
        "unavailable",
        "The database does not answer",
        "Nothing is lost. Try again in a moment, or run ./run manage doctor.",
    ),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    said = str(exception) if isinstance(exception, PermissionDenied) else ""
    return answer(request, 403, remedy=said)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 when the database is away and 500 otherwise, with a reference that stands in the log too."""
    database_is_away = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError))
    return answer(request, 503 if database_is_away else 500, reference=logged_reference(request))


def logged_reference(request: HttpRequest) -> str:
    """Return a short reference a person can quote, written to the log beside the path and what was raised."""
    reference = f"HP-{uuid.uuid4().hex[:8].upper()}"
    logger.error("%s: %s failed", reference, request.path, exc_info=True)
    return reference


def answer(request: HttpRequest, status: int, *, remedy: str = "", reference: str = "") -> HttpResponse:
    """Return the error in the form the caller reads."""
    code, title, usual_remedy = MESSAGES[status]
    remedy = remedy or usual_remedy
    if request.path.startswith("/api/"):
        details = {"reference": reference} if reference else {}
        return with_patience(answers.json_error(code, f"{title}.", remedy, status=status, **details))
    context = {"status": status, "title": title, "remedy": remedy, "reference": reference}
    if answers.wants_fragment(request):
        return with_patience(answers.notice(request, context, status=status))
    return with_patience(render(request, "error.html", context, status=status))


def with_patience(response: HttpResponse) -> HttpResponse:
    """Tell programs when to come back while the database is away."""
    if response.status_code == 503:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response
