"""What the tab Audit hands out and does: its entries as a file, and the check of their chain."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from healthpilot.web.sheets import chunks
from systemstatus import entries
from systemstatus.audit_forms import AuditForm, wanted_of
from systemstatus.jobs import verify


@role_required(Role.VIEWER)
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """Stream the entries of a filter as CSV, the oldest first; one of no sense is refused, not guessed."""
    asked, problems = AuditForm(request.GET).asked()
    if problems:
        said = "\n".join([*problems, ""])
        return HttpResponse(said, status=422, content_type="text/plain; charset=utf-8")
    sheet = entries.sheet(wanted_of(asked), timezone.now())
    answer = StreamingHttpResponse(
        chunks(sheet) if request.method == "GET" else (), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{sheet.name}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@role_required(Role.OPERATOR)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Have the chain checked by a worker, and show what comes of it; while one check runs it is that one."""
    verify(request.user.get_username())
    messages.success(request, "The chain is being checked; what comes of it shows below.")
    return redirect(f"{reverse('status:tab', args=['audit'])}?view=chain")
