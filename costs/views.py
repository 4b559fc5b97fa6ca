"""The cost page: the whole, the fragments that HTMX swaps in, and what shows when the database fails."""

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from costs.days import local_today
from costs.forms import Asked, asked
from costs.overview import overview, users_panel
from healthpilot.web import answers
from healthpilot.web.access import role_required
from healthpilot.web.errors import logged_reference
from healthpilot.web.roles import Role

FRESH_S = 30
DATABASE_FAILED = {
    "title": "The figures could not be read",
    "remedy": "The database gave an error; nothing is lost. Try again, or run ./run manage doctor there.",
}


@role_required(Role.VIEWER)
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what a range of days cost: the page, its content for HTMX, or only the list of users."""
    now = timezone.now()
    question = asked(request.GET, today=local_today(now))
    try:
        if request.headers.get("HX-Target") == "users" and answers.wants_fragment(request):
            return fresh(
                answers.page_or_fragment(request, page=USERS, fragment=USERS, context=users_panel(question))
            )
        context = overview(question, now)
    except DatabaseError:
        return failed(request, question)
    return fresh(answers.page_or_fragment(request, page=PAGE, fragment=FRAGMENT, context=context))


PAGE, FRAGMENT, USERS = "costs/dashboard.html", "costs/_dashboard.html", "costs/_users.html"


def fresh(response: HttpResponse) -> HttpResponse:
    """Let the browser keep a private copy for 30 s, one per session and per part of the page."""
    patch_cache_control(response, private=True, max_age=FRESH_S)
    patch_vary_headers(response, ["Cookie", "HX-Target"])
    return response


def failed(request: HttpRequest, question: Asked) -> HttpResponse:
    """Say that the database failed: beside the old figures for HTMX, as a page with Retry otherwise."""
    context: dict[str, Any] = DATABASE_FAILED | {"reference": logged_reference(request)}
    if answers.wants_fragment(request):
        return answers.notice(request, context, status=503)
    context |= {
        "state": "error",
        "asked": question,
        "range": question.range,
        "retry": request.get_full_path(),
    }
    return answers.page_or_fragment(request, page=PAGE, fragment=FRAGMENT, context=context, status=503)
