"""The cost pages: the whole, the fragments that HTMX swaps in, and what shows when the database fails."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from costs import drilldown, panels, rendered, sheets
from costs.days import local_today
from costs.export import user_days
from costs.forms import Asked, asked
from costs.overview import overview
from costs.ranges import spoken
from costs.subjects import Kind, Subject
from healthpilot.web import answers
from healthpilot.web.access import role_required
from healthpilot.web.errors import logged_reference, with_patience
from healthpilot.web.roles import Role
from healthpilot.web.sheets import Sheet, chunks
from healthpilot.web.sheets import answer as as_file

FRESH_S = 30
PAGE, FRAGMENT = "costs/dashboard.html", "costs/_dashboard.html"
SUBJECT_PAGE, SUBJECT_FRAGMENT = "costs/subject.html", "costs/_subject_page.html"
DATABASE_FAILED = {
    "title": "The figures could not be read",
    "remedy": "The database gave an error; nothing is lost. Try again, or run ./run manage doctor there.",
}
Context = dict[str, Any]


@role_required(Role.VIEWER)
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what a range of days cost: the page, its content for HTMX, or one of its parts."""
    now = timezone.now()
    question = asked(request.GET, today=local_today(now))
    if "csv" in request.GET:
        return sheet(lambda: sheets.of_dashboard(request.GET["csv"], question, now))
    parts: dict[str, tuple[str, Callable[[], Context]]] = {
        "users": ("costs/_users.html", lambda: panels.users_panel(question)),
        "change": ("costs/_change.html", lambda: panels.change_alone(question)),
    }
    return shown(request, question, (PAGE, FRAGMENT), parts, lambda: overview(question, now))


@role_required(Role.VIEWER)
@require_safe
def look_into(request: HttpRequest, kind: Kind, name: str) -> HttpResponse:
    """Show what one user, domain, model or job type cost, of what, and the events behind it."""
    now = timezone.now()
    question = asked(request.GET, today=local_today(now))
    subject = Subject(kind, name)
    if "csv" in request.GET:
        return sheet(lambda: sheets.of_subject(request.GET["csv"], subject, question))
    parts: dict[str, tuple[str, Callable[[], Context]]] = {
        "events": ("costs/_events.html", lambda: drilldown.events_panel(subject, question)),
    }
    templates = (SUBJECT_PAGE, SUBJECT_FRAGMENT)
    return shown(
        request, question, templates, parts, lambda: drilldown.page(subject, question, now), subject=subject
    )


def sheet(make: Callable[[], Sheet]) -> HttpResponse:
    """Answer with what one card shows, as CSV; 404 in one line where there is none."""
    try:
        return fresh(as_file(make()))
    except sheets.NoSheetError as error:
        return HttpResponse(f"{error}\n", status=404, content_type="text/plain; charset=utf-8")


def shown(
    request: HttpRequest,
    question: Asked,
    templates: tuple[str, str],
    parts: dict[str, tuple[str, Callable[[], Context]]],
    whole: Callable[[], Context],
    **more: Any,
) -> HttpResponse:
    """Answer with the part that HTMX will swap in, or else the whole page or its content."""
    wants_fragment = answers.wants_fragment(request)
    alone = parts.get(request.headers.get("HX-Target", "")) if wants_fragment else None
    template, make = alone or (templates[1], whole)
    try:
        version = rendered.current_version()
        if wants_fragment and request.headers.get("X-Shown-Version") == version:
            return HttpResponse(status=204)
        wanted = rendered.Wanted(request, template, question, make, version)
        if wants_fragment:
            part = rendered.part(wanted)
            html, status = str(part.html), part.status
        else:
            html, status = rendered.page(wanted, templates[0], more)
    except DatabaseError:
        return failed(request, question, templates, more)
    return fresh(HttpResponse(html, status=status))


@role_required(Role.VIEWER)
@require_safe
def export_user_days(request: HttpRequest) -> HttpResponseBase:
    """Stream every user's days of a range as a CSV file; a range of no sense is refused, not guessed."""
    question = asked(request.GET, today=local_today(timezone.now()))
    if question.problems:
        said = "\n".join([*question.problems, "Give days=7, or from=2026-01-01&to=2026-01-31.", ""])
        return HttpResponse(said, status=422, content_type="text/plain; charset=utf-8")
    table = user_days(question.range)
    answer = StreamingHttpResponse(
        chunks(table) if request.method == "GET" else (), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{table.name}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def fresh(response: HttpResponse) -> HttpResponse:
    """Let the browser keep a private copy for 30 s, one per session and per part of the page."""
    patch_cache_control(response, private=True, max_age=FRESH_S)
    patch_vary_headers(response, ["Cookie", "HX-Target", *answers.HTMX_HEADERS])
    return response


def failed(request: HttpRequest, question: Asked, templates: tuple[str, str], more: Context) -> HttpResponse:
    """Say that the database failed: beside the old figures for HTMX, as a page with Retry otherwise."""
    context: Context = DATABASE_FAILED | {"reference": logged_reference(request)} | more
    if answers.wants_fragment(request):
        return with_patience(answers.notice(request, context, status=503))
    context |= {
        "state": "error",
        "asked": question,
        "range": question.range,
        "sentence": spoken(question.range.first_on, question.range.last_on),
        "presets": (7, 30, 90),
        "retry": request.get_full_path(),
    }
    page, fragment = templates
    said = answers.page_or_fragment(request, page=page, fragment=fragment, context=context, status=503)
    return with_patience(said)
