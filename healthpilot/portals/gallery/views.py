"""The page of the design system, one component alone, and the small answers its samples ask for."""

from dataclasses import replace
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from healthpilot.portals.gallery import contexts, samples, specimens, tokens
from healthpilot.portals.gallery.specimens import Specimen
from healthpilot.web.access import staff_required
from healthpilot.web.answers import wants_fragment


@require_safe
@staff_required
def design(request: HttpRequest) -> HttpResponse:
    """Show every token and every component, or with ?component= and ?state= one of them alone."""
    if wants_fragment(request):
        return part(request)
    context = {
        "specimens": [(one, drawn(request, one)) for one in chosen(request)],
        "is_whole": "component" not in request.GET,
        "colours": tokens.groups(),
        "type_sizes": tokens.TYPE,
        "spaces": tokens.SPACE,
    }
    return render(request, "portals/gallery/page.html", context)


def chosen(request: HttpRequest) -> list[Specimen]:
    """Return the components that the query names, all without one. Raises Http404 for an unknown name."""
    everything = specimens.specimens()
    wanted, state = request.GET.get("component"), request.GET.get("state")
    if not wanted:
        return everything
    found = next((one for one in everything if one.key == wanted), None)
    if found is None or (state and state not in found.states):
        raise Http404
    shown = {state: found.states[state]} if state else found.states
    return [replace(found, states=shown)]


def drawn(request: HttpRequest, one: Specimen) -> list[tuple[str, str]]:
    """Return each state's name and its markup."""
    return [
        (state, render_to_string(one.template, dict(context), request))
        for state, context in one.states.items()
    ]


def part(request: HttpRequest) -> HttpResponse:
    """Answer what a sample on the page fetches: the panel of a tab, or the age of refreshed figures."""
    if request.headers.get("HX-Target", "").startswith("panel-"):
        shown = samples.TABS[whole(request, "tab") % len(samples.TABS)][0]
        return render(request, "portals/gallery/_panel.html", {"shown": shown})
    return render(request, "portals/gallery/_age.html", {"now": timezone.now()})


@require_safe
@staff_required
def options(request: HttpRequest) -> HttpResponse:
    """Answer the typeahead's sample: at most eight matches, and where the next ones begin."""
    context = contexts.options(request.GET.get("q", "")[:120], whole(request, "after"))
    if context["next_query"]:
        context["next_url"] = f"{reverse('portals:design_options')}?{urlencode(context['next_query'])}"
    return render(request, "components/_options.html", context)


def whole(request: HttpRequest, name: str) -> int:
    """Return a small whole number from the query, 0 where it is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
