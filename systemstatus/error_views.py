"""What people do about groups of exceptions: seen to, not seen to, and kept quiet until a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from systemstatus import error_groups
from systemstatus.models import ErrorGroup

LASTS: Final = (("", "Choose…"), ("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days"))
Act = Callable[..., ErrorGroup]
ACTS: Final[dict[str, tuple[Act, str]]] = {
    "resolve": (error_groups.resolve, "Resolved: it opens itself when it occurs again."),
    "reopen": (error_groups.reopen, "Open again."),
    "unmute": (error_groups.unmute, "It raises alerts again."),
}


class MuteForm(forms.Form):
    """For how long, and why."""

    days = forms.ChoiceField(required=False, choices=LASTS, label="For")
    reason = forms.CharField(required=False, max_length=300, help_text="Why nobody needs to be told.")


@role_required(Role.OPERATOR)
@require_POST
def act(request: HttpRequest, fingerprint: str, action: str) -> HttpResponse:
    """Resolve a group, take that back, or have it raise alerts again."""
    if action not in ACTS:
        raise Http404
    do, told = ACTS[action]
    try:
        do(fingerprint, actor=request.user.get_username())
    except ErrorGroup.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, told)
    return to_group(fingerprint)


@role_required(Role.OPERATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def mute(request: HttpRequest, fingerprint: str) -> HttpResponse:
    """Ask for how long and why a group raises no alert, and do it."""
    group = get_object_or_404(ErrorGroup, pk=fingerprint)
    form = MuteForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        days, reason = form.cleaned_data["days"], form.cleaned_data["reason"]
        until = timezone.now() + timedelta(days=int(days or 0))
        if not days:
            form.add_error("days", "Choose for how long: what is quiet for ever is never looked at again.")
        elif not reason.strip():
            form.add_error("reason", "Write why nobody needs to be told.")
        else:
            error_groups.mute(fingerprint, until=until, actor=request.user.get_username(), reason=reason)
            messages.success(
                request, f"No alert until {until:%Y-%m-%d %H:%M} UTC; it is counted all the same."
            )
            return to_group(fingerprint)
    context = {"form": form, "group": group}
    return render(request, "systemstatus/mute.html", context, status=422 if form.errors else 200)


def to_group(fingerprint: str) -> HttpResponseRedirect:
    return redirect(f"{reverse('status:tab', args=['api'])}?{urlencode({'group': fingerprint})}")
