"""The route that tests the way of alerts: one signed webhook, now."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from costs.budget_api import actor_of
from healthpilot.tokens.access import token_or_role
from healthpilot.tokens.scopes import BUDGETS_WRITE
from healthpilot.web.answers import ErrorBody, json_error
from healthpilot.web.roles import Role
from systemstatus.notify.trial import NotConfiguredError, send_test

router = Router(tags=["cost"])


class TriedBody(Schema):
    """What came of a test."""

    message_id: str = Field(description="The webhook-id that the receiver got.")
    delivered: bool
    answer: str = Field(description="What the receiver answered.")


@router.post(
    "/alert:test",
    auth=token_or_role(BUDGETS_WRITE, Role.ADMIN),
    response={200: TriedBody, 401: ErrorBody, 403: ErrorBody, 409: ErrorBody, 502: ErrorBody},
    operation_id="test_cost_alert",
    summary="Send a signed test webhook",
)
def alert_test(request: HttpRequest) -> Any:
    """Send one signed test message to ALERT_WEBHOOK_URL and say what came back; waits 5 seconds at most."""
    try:
        tried = send_test(actor=actor_of(request), now=timezone.now())
    except NotConfiguredError as error:
        return json_error("webhook_not_set", str(error), "Set both, start again, then test.", status=409)
    if not tried.is_delivered:
        remedy = f"Mend what it says, then test again. The message was {tried.message_id}."
        return json_error("webhook_failed", f"Not delivered: {tried.said}.", remedy, status=502)
    return {"message_id": tried.message_id, "delivered": True, "answer": tried.said}
