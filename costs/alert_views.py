"""The button that tests the way of alerts."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from systemstatus import jobs
from systemstatus.notify import trial


@role_required(Role.ADMIN)
@require_POST
def alert_test(request: HttpRequest) -> HttpResponse:
    """Have a worker send a signed test webhook, and show its job, which tells what came back as it comes."""
    if not trial.is_configured():
        messages.error(request, trial.NOT_SET)
        return redirect("costs:budgets")
    return redirect("dataqueue:job", job_id=jobs.send_test(request.user.get_username()))
