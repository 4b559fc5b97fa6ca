"""The route that Prometheus scrapes."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from healthpilot.tokens.access import token_or_role
from healthpilot.tokens.scopes import STATUS_READ
from healthpilot.web.answers import ErrorBody
from healthpilot.web.roles import Role
from systemstatus import prometheus

router = Router(tags=["status"])
ANSWER = {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get(
    "/metrics",
    auth=token_or_role(STATUS_READ, Role.VIEWER),
    response={401: ErrorBody, 403: ErrorBody},
    openapi_extra={"responses": {"200": ANSWER}},
    operation_id="read_metrics",
    url_name="metrics",
    summary="The newest snapshots in Prometheus's text format",
)
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with figures, states and open alerts as text; no probe runs for it. /metrics leads here."""
    return HttpResponse(prometheus.text(timezone.now()), content_type=CONTENT_TYPE_LATEST)
