"""What people do on the tab Jobs: the queue's own acts, and an entry of the schedule run now."""

from celery import current_app
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from healthpilot.dataqueue.actions import ACTIONS, SWITCHES, Done
from healthpilot.dataqueue.models import QueueClass
from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from systemstatus.audit import record_audit


@role_required(Role.OPERATOR)
@require_POST
def act(request: HttpRequest, job_id: int, action: str) -> HttpResponse:
    """Cancel a job, retry it or let it run now; what became of it is said on the tab."""
    if action not in ACTIONS:
        raise Http404
    return said(request, ACTIONS[action](job_id, actor=request.user.get_username()))


@role_required(Role.OPERATOR)
@require_POST
def switch(request: HttpRequest, queue_class: str, action: str) -> HttpResponse:
    """Pause a class of jobs, or let it go on."""
    if queue_class not in QueueClass.values or action not in SWITCHES:
        raise Http404
    return said(request, SWITCHES[action](queue_class, actor=request.user.get_username()))


@role_required(Role.OPERATOR)
@require_POST
def run_entry(request: HttpRequest) -> HttpResponse:
    """Send an entry of the schedule's task now; each is safe at any time and side by side."""
    name = request.POST.get("entry", "")
    entry = current_app.conf.beat_schedule.get(name)
    if entry is None:
        return said(request, Done(False, "The schedule has no such entry."))
    try:
        current_app.send_task(entry["task"], retry=False, ignore_result=True, **entry.get("options", {}))
    except Exception as error:  # whatever the broker's client raises: the broker did not take it
        return said(request, Done(False, f"The broker did not take it: {type(error).__name__}."))
    record_audit(actor=request.user.get_username(), action="schedule.run", target=name)
    return said(request, Done(True, f"“{name}” was sent to a worker."))


def said(request: HttpRequest, done: Done) -> HttpResponse:
    """Say what was done, and go back to the view that it was asked from."""
    (messages.success if done.ok else messages.warning)(request, done.said)
    query = "?view=all" if request.POST.get("view") == "all" else ""
    return redirect(f"{reverse('status:tab', args=['jobs'])}{query}")
