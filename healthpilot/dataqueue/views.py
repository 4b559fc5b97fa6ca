"""The job pages: the list with its queues, one job with its live progress, and what may be done to them."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from healthpilot.dataqueue import actions, files, queries
from healthpilot.dataqueue.forms import JobsForm
from healthpilot.dataqueue.kinds import registered
from healthpilot.dataqueue.models import Job, QueueClass, State
from healthpilot.dataqueue.redaction import redacted
from healthpilot.web import answers
from healthpilot.web.access import has_role, role_required
from healthpilot.web.pages import CursorError, clamped
from healthpilot.web.roles import Role

PAGE, LIST = "dataqueue/jobs.html", "dataqueue/_jobs.html"
JOB, LIVE = "dataqueue/job.html", "dataqueue/_job.html"


@role_required(Role.VIEWER)
@never_cache
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Show how the queues stand and one page of jobs."""
    form = JobsForm(request.GET)
    filters, problems = form.asked()
    asked = request.GET.get("limit", "")[:9]
    limit = clamped(int(asked) if asked.isdecimal() else None)
    try:
        page = queries.jobs(filters, limit=limit, cursor=request.GET.get("cursor"))
    except CursorError as error:
        problems.append(f"{error}".capitalize())
        page = queries.jobs(filters, limit=limit, cursor=None)
    context = {
        "form": form,
        "problems": problems,
        "is_filtered": bool(filters),
        "page": page,
        "queues": queries.queues(),
        "may_act": has_role(request, Role.OPERATOR),
        "labels": {kind.name: kind.label for kind in registered.values()},
        "retention_days": settings.DATAQUEUE_RETENTION_DAYS,
        "is_live": any(job.state == State.RUNNING for job in page.rows),
        "now": timezone.now(),
    }
    return answers.page_or_fragment(request, page=PAGE, fragment=LIST, context=context)


@role_required(Role.VIEWER)
@never_cache
@require_safe
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show one job; HTMX asks for it again until it has ended."""
    one = queries.job(job_id)
    if one is None:
        return gone(request, job_id)
    return answers.page_or_fragment(request, page=JOB, fragment=LIVE, context=shown(request, one))


@role_required(Role.OPERATOR)
@require_POST
def act(request: HttpRequest, job_id: int, action: str) -> HttpResponseBase:
    """Do one of the actions and go back to the job, which says what became of it."""
    if action not in actions.ACTIONS:
        raise Http404
    found(job_id)
    done = actions.ACTIONS[action](job_id, actor=request.user.get_username())
    (messages.success if done.ok else messages.warning)(request, done.said)
    return redirect("dataqueue:job", job_id=job_id)


@role_required(Role.OPERATOR)
@require_POST
def switch(request: HttpRequest, queue_class: str, action: str) -> HttpResponseBase:
    """Pause a queue class or let it go on."""
    if queue_class not in QueueClass.values or action not in actions.SWITCHES:
        raise Http404
    done = actions.SWITCHES[action](queue_class, actor=request.user.get_username())
    (messages.success if done.ok else messages.warning)(request, done.said)
    return redirect("dataqueue:jobs")


@role_required(Role.VIEWER)
@never_cache
@require_safe
def download(request: HttpRequest, job_id: int, name: str) -> HttpResponseBase:
    """Hand out a file that a job left."""
    one = queries.job(job_id)
    if one is None:
        return gone(request, job_id)
    if path := files.file_of(one, name):
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)
    left = next((file for file in files.left_by(one) if file.name == name), None)
    if left is None:
        raise Http404
    why = (
        f"Files of jobs are kept for {settings.DATAQUEUE_RETENTION_DAYS} days after the job's end. "
        if left.is_over
        else "It was removed, or lies on another machine whose HEALTHPILOT_VAR is not shared with this one. "
    )
    return over(request, "This file is not there any more", f"{why}Start the job again to make it anew.")


def gone(request: HttpRequest, job_id: int) -> HttpResponse:
    """Say that a job was removed after its time; raises Http404 for one that never was."""
    if not queries.was_there(job_id):
        raise Http404
    days = settings.DATAQUEUE_RETENTION_DAYS
    remedy = (
        f"Jobs are removed, with the files they left, {days} days after their end. Start it anew if needed."
    )
    return over(request, "This job is not there any more", remedy)


def over(request: HttpRequest, title: str, remedy: str) -> HttpResponse:
    """Answer 410: what was asked for was there, and is not any more."""
    back = {"back_url": reverse("dataqueue:jobs"), "back_word": "All jobs"}
    context = {"status": 410, "title": title, "remedy": remedy} | back
    return render(request, "error.html", context, status=410)


def found(job_id: int) -> Job:
    """Return a job; raises Http404."""
    one = queries.job(job_id)
    if not one:
        raise Http404
    return one


def shown(request: HttpRequest, one: Job) -> dict[str, Any]:
    """Return what a job's page shows."""
    kind = registered.get(one.kind)
    return {
        "job": one,
        "label": kind.label if kind else one.kind,
        "payload": redacted(one.payload, kind.secret if kind else ()),
        "result": {name: value for name, value in (one.result or {}).items() if name != "files"},
        "files": files.left_by(one),
        "entries": queries.entries(one.pk),
        "alive": queries.alive([one]).get(one.pk),
        "actions": actions.allowed(one) if has_role(request, Role.OPERATOR) else [],
        "is_live": not one.is_finished and one.state != State.PARKED,
        "now": timezone.now(),
    }
