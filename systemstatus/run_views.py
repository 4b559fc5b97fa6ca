"""Checks that somebody wants run now, from the tabs Health and Integrations; a worker runs them."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from systemstatus import runs
from systemstatus.run_lines import TABS


@role_required(Role.OPERATOR)
@require_POST
def run_checks(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a module's checks run, all of them or one (`module=name` or `module=name/check`)."""
    if slug not in TABS:
        raise Http404
    name, _, check = request.POST.get("module", "")[:100].partition("/")
    done = runs.run_now(name, check, actor=request.user.get_username())
    (messages.success if done.ok else messages.warning)(request, done.said)
    return redirect(reverse("status:tab", args=[slug]))
