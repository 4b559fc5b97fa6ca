"""The button that tests the way of alerts."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from systemstatus.notify.trial import NotConfiguredError, send_test


@role_required(Role.ADMIN)
@require_POST
def alert_test(request: HttpRequest) -> HttpResponse:
    """Send a signed test webhook and say on the budgets page what came back."""
    try:
        tried = send_test(actor=request.user.get_username(), now=timezone.now())
    except NotConfiguredError as error:
        messages.error(request, str(error))
    else:
        if tried.is_delivered:
            messages.success(request, f"The test webhook was delivered: the receiver {tried.said}.")
        else:
            messages.error(request, f"The test webhook was not delivered: {tried.said}.")
    return redirect("costs:budgets")
