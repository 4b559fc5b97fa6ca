"""What people do about alerts: pages that ask, work without a script, and act once."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from systemstatus.alert_forms import AN_HOUR, MaintenanceForm, NoteForm, QuietForm, SilenceForm
from systemstatus.alerts import actions
from systemstatus.alerts.actions import ActionError
from systemstatus.models import Alert, Quiet

ASKS = ["GET", "HEAD", "POST"]


@role_required(Role.OPERATOR)
@require_http_methods(ASKS)
@never_cache
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Ask for a note, and acknowledge the alert with it."""
    alert = get_object_or_404(Alert, pk=alert_id)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            actions.acknowledge(
                alert_id, actor=who(request), note=form.cleaned_data["note"], now=timezone.now()
            )
        except ActionError as error:
            refuse(form, error)
        else:
            return done(request, f"Acknowledged: {alert.message or alert}", f"alert-{alert_id}")
    return asked(request, "systemstatus/acknowledge.html", form, alert=alert)


@role_required(Role.OPERATOR)
@require_http_methods(ASKS)
@never_cache
def silence(request: HttpRequest) -> HttpResponse:
    """Ask what to keep quiet, why and until when, and do it."""
    initial = beginning(request) | {"lasts": AN_HOUR}
    form = SilenceForm(request.POST if request.method == "POST" else None, initial=initial)

    def act(form: SilenceForm) -> Quiet:
        now = timezone.now()
        return actions.silence(**form.matcher(), actor=who(request), ends_at=form.end(now), now=now)

    return quieted(request, form, act, "systemstatus/silence.html")


@role_required(Role.OPERATOR)
@require_http_methods(ASKS)
@never_cache
def maintenance(request: HttpRequest) -> HttpResponse:
    """Ask for a window of work, and announce it."""
    form = MaintenanceForm(request.POST if request.method == "POST" else None, initial=beginning(request))

    def act(form: MaintenanceForm) -> Quiet:
        now, given = timezone.now(), form.cleaned_data
        times = {"starts_at": given["starts_at"] or now, "ends_at": given["ends_at"]}
        return actions.add_maintenance(**form.matcher(), **times, actor=who(request), now=now)

    return quieted(request, form, act, "systemstatus/maintenance.html")


@role_required(Role.OPERATOR)
@require_POST
def end_silence(request: HttpRequest, pk: int) -> HttpResponse:
    """End a silence now."""
    return ended(request, pk, actions.end_silence, "The silence is over: matching alerts are told of again.")


@role_required(Role.OPERATOR)
@require_POST
def end_maintenance(request: HttpRequest, pk: int) -> HttpResponse:
    """End a maintenance window now, or take back one to come."""
    return ended(request, pk, actions.end_maintenance, "The maintenance window is over.")


def quieted(request: HttpRequest, form: Any, act: Callable[[Any], Quiet], template: str) -> HttpResponse:
    """Store what a valid form asks for, or show the form with what is wrong beside its field."""
    if form.is_bound and form.is_valid():
        try:
            row = act(form)
        except ActionError as error:
            refuse(form, error)
        else:
            name = row._meta.model_name or ""
            return done(request, f"Kept quiet: {said(row)}.", f"{name}-{row.pk}")
    return asked(request, template, form)


def ended(request: HttpRequest, pk: int, act: Callable[..., Quiet], told: str) -> HttpResponse:
    """End a row, and say so; of two who press at once the second is told that it is over."""
    try:
        act(pk, actor=who(request), now=timezone.now())
    except ActionError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, told)
    return to_tab("quiet")


def beginning(request: HttpRequest) -> dict[str, str]:
    """Return the patterns with which a form begins: those of the alert it was opened from."""
    return {name: request.GET.get(name, "")[:200] or "*" for name in ("rule", "module", "target")}


def refuse(form: forms.Form, error: ActionError) -> None:
    """Put a refusal beside the field that it is about."""
    form.add_error(error.field if error.field in form.fields else None, str(error))


def asked(request: HttpRequest, template: str, form: QuietForm | NoteForm, **more: Any) -> HttpResponse:
    return render(request, template, {"form": form, **more}, status=422 if form.errors else 200)


def said(row: Quiet) -> str:
    """Return what a row keeps quiet and until when, in words."""
    return f"{row.rule} {row.module} {row.target} until {row.ends_at:%Y-%m-%d %H:%M} UTC"


def who(request: HttpRequest) -> str:
    return request.user.get_username()


def done(request: HttpRequest, told: str, anchor: str) -> HttpResponseRedirect:
    messages.success(request, told)
    return to_tab(anchor)


def to_tab(anchor: str) -> HttpResponseRedirect:
    return redirect(f"{reverse('status:tab', args=['alerts'])}#{anchor}")
