"""The page that shows one session of PostgreSQL and stops it: its statement, or all of it."""

from datetime import datetime
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from healthpilot.web.access import has_role, require_role, role_required
from healthpilot.web.roles import Role
from systemstatus import sessions
from systemstatus.sessions import Asked, Session

MOST_PID: Final = 2**31 - 1


class StopForm(forms.Form):
    """What is typed to confirm, and by which times the session that was seen is told apart."""

    typed = forms.CharField(required=False, max_length=80, label="Confirm")
    act = forms.ChoiceField(choices=[(name, name) for name in sessions.SIGNALS])
    started_at = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    statement_at = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)


@role_required(Role.OPERATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def session(request: HttpRequest, pid: int) -> HttpResponse:
    """Ask before a statement is cancelled or a session is ended; ending needs the role admin."""
    found = sessions.session_of(pid) if pid <= MOST_PID else None
    form = StopForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        wanted = wanted_of(pid, form)
        if wanted.act == "terminate":
            require_role(request, Role.ADMIN)
        if found is None or is_confirmed(form, found):
            return done(request, sessions.stop(wanted, actor=request.user.get_username()))
    return asked(request, pid, found, form)


def wanted_of(pid: int, form: StopForm) -> Asked:
    """Return what a form asks for."""
    given = form.cleaned_data
    return Asked(pid, given["act"], time_of(given["started_at"]), time_of(given["statement_at"]))


def time_of(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def is_confirmed(form: StopForm, found: Session) -> bool:
    """Say whether what was typed names the session; else the form says what to type."""
    if form.cleaned_data["typed"].strip() == found.word:
        return True
    form.add_error("typed", f"Type {found.word} to confirm that it is this one.")
    return False


def asked(request: HttpRequest, pid: int, found: Session | None, form: StopForm) -> HttpResponse:
    """Show the session with what may be done about it; one that is gone is said to be."""
    context = {
        "pid": pid, "session": found, "form": form, "is_admin": has_role(request, Role.ADMIN),
        "started_at": sessions.text_of(found.started_at) if found else "",
        "statement_at": sessions.text_of(found.statement_at) if found else "",
    }  # fmt: skip
    status = 404 if found is None else 422 if form.errors else 200
    return render(request, "systemstatus/session.html", context, status=status)


def done(request: HttpRequest, stopped: sessions.Stopped) -> HttpResponse:
    """Say what was done, and go back to the tab."""
    (messages.success if stopped.ok else messages.warning)(request, stopped.said)
    return redirect(reverse("status:tab", args=["database"]))
