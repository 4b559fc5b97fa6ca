"""The pages of System Status: one view that renders any tab, whole or as the fragment that HTMX swaps in."""

from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from healthpilot.web import answers
from healthpilot.web.access import has_role, role_required
from healthpilot.web.errors import logged_reference
from healthpilot.web.roles import Role
from systemstatus import kept, run_lines, shell, widget
from systemstatus.moment import Moment, moment_of
from systemstatus.run_lines import Run
from systemstatus.standing import standings
from systemstatus.tabs import BY_SLUG, FIRST, Tab

FRESH_S: Final = 30
PAGE, FRAGMENT = "systemstatus/page.html", "systemstatus/_panel.html"
DATABASE_FAILED: Final = {
    "title": "The status could not be read",
    "remedy": "PostgreSQL gave an error. Try again, or run ./run manage doctor on the server.",
}


@role_required(Role.VIEWER)
@require_safe
def tab(request: HttpRequest, slug: str = FIRST) -> HttpResponse:
    """Show one tab at one minute; a name that is no tab's gets the list of those there are."""
    chosen = BY_SLUG.get(slug)
    try:
        moment = moment_of(request.GET.get("at"), timezone.now())
        runs = runs_of(moment, chosen)
        key = kept.page_key(request, chosen, moment, runs)
        answer = kept.page(request, key, lambda: page(request, moment, chosen, runs))
    except DatabaseError:
        return failed(request)
    patch_vary_headers(answer, answers.HTMX_HEADERS)
    return fresh(answer)


def page(request: HttpRequest, moment: Moment, chosen: Tab | None, runs: list[Run]) -> HttpResponse:
    """Render a tab, whole or as the fragment that HTMX wants."""
    context = around(request, moment, chosen, runs)
    context["panel"] = inside(request, moment, chosen, context)
    status = 404 if chosen is None else 400 if moment.problem else 200
    return answers.page_or_fragment(request, page=PAGE, fragment=FRAGMENT, context=context, status=status)


@role_required(Role.VIEWER)
@require_safe
def status_widget(request: HttpRequest) -> HttpResponse:
    """Show the widget of every page anew; what was found of late stands for everybody."""
    place = "top" if request.GET.get("place") == "top" else "side"
    try:
        found = widget.kept() or widget.keep(moment_of("", timezone.now()))
    except DatabaseError:
        found = widget.Widget()
    answer = render(request, "systemstatus/_widget.html", {"widget": found, "place": place})
    patch_cache_control(answer, private=True, no_store=True)
    return answer


def inside(request: HttpRequest, moment: Moment, chosen: Tab | None, context: dict[str, Any]) -> str:
    """Return what a tab shows as HTML; for a name that is no tab's, the list of those there are."""
    if chosen is None:
        return render_to_string("systemstatus/_no_such_tab.html", context, request)
    return kept.panel(request, chosen, moment, lambda: context | chosen.read(moment, request.GET))


def around(request: HttpRequest, moment: Moment, chosen: Tab | None, runs: list[Run]) -> dict[str, Any]:
    """Return what surrounds a tab; templates of tabs may use all of it."""
    found = standings(moment)
    shown = widget.keep(moment, found)
    return {
        "tab": chosen,
        "slug": chosen.slug if chosen else "",
        "moment": moment,
        "now": moment.now,
        "standings": found,
        "lines": shell.lines(moment, found, shown.status, chosen),
        "banners": shell.banners(moment),
        "may_act": has_role(request, Role.OPERATOR),
        "widget": shown,
        "said": shell.said(shown.status, moment, chosen),
        "earlier": shell.earlier(moment),
        "later": shell.later(moment),
        "is_swap": answers.wants_fragment(request),
        "runs": runs,
        "runs_go_on": any(run.checks is None for run in runs),
    }


def runs_of(moment: Moment, chosen: Tab | None) -> list[Run]:
    """Return what somebody had checked of late, for the tabs that offer it; a past minute has none."""
    offers = chosen is not None and chosen.slug in run_lines.TABS and not moment.is_past
    return run_lines.lately() if offers else []


def fresh(response: HttpResponse) -> HttpResponse:
    """Let the browser keep a private copy for 30 s, so that what was prefetched is there when wanted."""
    patch_cache_control(response, private=True, max_age=FRESH_S)
    patch_vary_headers(response, ["Cookie"])
    return response


def failed(request: HttpRequest) -> HttpResponse:
    """Say that the database failed: beside the old figures for HTMX, as a page of its own otherwise."""
    context = DATABASE_FAILED | {"reference": logged_reference(request), "retry": request.get_full_path()}
    if answers.wants_fragment(request):
        return answers.notice(request, context, status=503)
    answer = answers.page_or_fragment(
        request, page="systemstatus/failed.html", fragment=FRAGMENT, context=context, status=503
    )
    answer["Retry-After"] = "5"
    return answer
