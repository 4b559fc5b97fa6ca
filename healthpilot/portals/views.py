"""The front page, the liveness answer, the API's description and the choice of theme."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from healthpilot.portals.api import api
from healthpilot.portals.reference import reference
from healthpilot.web.access import has_role, open_to_all, role_required
from healthpilot.web.roles import Role
from healthpilot.web.templatetags.shell import THEMES

ONE_YEAR_S = 365 * 24 * 3600


@open_to_all
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what this is and the way in."""
    return render(request, "portals/home.html")


@open_to_all
@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Answer 'ok' while the process serves at all; it asks no other part, since a restart would mend none."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@role_required(Role.VIEWER)
@require_safe
def describe_api(request: HttpRequest) -> HttpResponse:
    """Describe every route of the API, with lines to copy."""
    context = {
        "reference": reference(api, base=request.build_absolute_uri("/").rstrip("/")),
        "description": api.description,
        "may_make": has_role(request, Role.ADMIN),
    }
    return render(request, "portals/api.html", context)


@open_to_all
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie and go back: the way that works without a script."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    answer = redirect(back)
    if request.POST.get("theme") in THEMES:
        answer.set_cookie(
            "theme", request.POST["theme"], max_age=ONE_YEAR_S, samesite="Lax", secure=request.is_secure()
        )
    return answer
