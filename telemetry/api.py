"""POST /api/ingest/events: telemetry from applications that do not run beside HealthPilot."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Field, Router, Schema

from healthpilot.tokens.access import TokenOnly
from healthpilot.tokens.models import ApiToken
from healthpilot.tokens.scopes import EVENTS_WRITE
from healthpilot.web.answers import ErrorBody, error_body, json_error
from telemetry.ingest.body import SENT_MOST_BYTES, BodyRefusedError, body_of
from telemetry.ingest.once import Outcome, store_once
from telemetry.ingest.parsing import EVENTS_MOST, Parsed, TooManyEventsError, parsed

router = Router(auth=TokenOnly(EVENTS_WRITE), tags=["ingest"])


class RejectedBody(Schema):
    """One line that was not stored."""

    line: int = Field(description="From 1, blank lines counted.")
    event_id: str | None
    field: str = Field(description="The field at fault; empty where it is the whole line.")
    message: str


class ConflictBody(Schema):
    """One line whose event_id was sent before with another body."""

    line: int
    event_id: str
    message: str


class IngestBody(Schema):
    """What became of the lines. Accepted ones and duplicates are durable."""

    accepted: int = Field(description="Stored by this request.")
    duplicates: int = Field(description="Sent before with the same body, and counted then.")
    rejected: list[RejectedBody]
    conflicts: list[ConflictBody]


class IngestErrorBody(IngestBody, ErrorBody):
    """As for success, with what to do about the lines that were not stored."""


EXAMPLE = """\
{"event_id": "b2f1-0001", "kind": "llm", "user_id": "u1", "tier": "pro", "llm_model": "gpt-4o-mini", \
"context_type": "summary", "input_tokens": 1200, "output_tokens": 180}
{"event_id": "b2f1-0002", "kind": "job", "user_id": "u1", "tier": "pro", "domain": "reports", \
"job_type": "nightly-report", "success": true, "duration_ms": 5200, "cpu_ms": 900}
"""
REQUEST = {
    "requestBody": {
        "required": True,
        "description": "One JSON object a line; gzip with Content-Encoding: gzip. Each has event_id, kind"
        " (job or llm) and the columns of its kind. created_at is the server's time unless given.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}


@router.post(
    "/events",
    response={
        200: IngestBody,
        207: IngestBody,
        409: IngestErrorBody,
        422: IngestErrorBody | ErrorBody,
        **dict.fromkeys((400, 401, 403, 411, 413, 415, 429, 503), ErrorBody),
    },
    operation_id="ingest_events",
    summary="Send events",
    description=f"Up to {EVENTS_MOST} events and {SENT_MOST_BYTES >> 20} MiB. 200: all lines are stored. 207:"
    " some are, the rejected ones are listed. 409: an event_id was sent before with another body; the lines"
    " not listed are stored. 422: no line could be stored. Sending a request again is safe: nothing counts"
    " twice.",
    openapi_extra=REQUEST,
)
def ingest_events(request: HttpRequest) -> HttpResponse:
    """Store the good lines, each once, and answer when they are durable."""
    token: ApiToken = request.auth  # type: ignore[attr-defined] # ninja puts the token there
    try:
        found = parsed(body_of(request), now=datetime.now(UTC))
    except BodyRefusedError as error:
        return json_error(error.code, error.message, error.remedy, status=error.status)
    except TooManyEventsError:
        said = f"The body has more than {EVENTS_MOST:,} lines; none was stored."
        return json_error("too_many_events", said, f"Send up to {EVENTS_MOST:,} a request.", status=413)
    return answer(found, store_once(token.client, found.events) if found.events else Outcome())


def answer(found: Parsed, outcome: Outcome) -> HttpResponse:
    """Return what became of every line, under the status that fits the worst of it."""
    body: dict[str, Any] = {
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "rejected": [
            {"line": one.line, "event_id": one.event_id, "field": one.field, "message": one.message}
            for one in found.rejected
        ],
        "conflicts": [
            {"line": one.line, "event_id": one.event_id, "message": CONFLICT} for one in outcome.conflicts
        ],
    }
    if outcome.conflicts:
        first = outcome.conflicts[0]
        said = f"Line {first.line}: the event_id {first.event_id} was sent before with another body."
        return JsonResponse(body | error_body("event_conflict", said, NEW_ID), status=409)
    if found.rejected and not found.events:
        worst = found.rejected[0]
        said = f"No line could be stored; line {worst.line}: {worst.message}."
        return JsonResponse(body | error_body("no_valid_events", said, MEND), status=422)
    return JsonResponse(body, status=207 if found.rejected else 200)


CONFLICT = "this event_id was sent before with another body, which stands"
NEW_ID = "Give a different event a new event_id; the lines that are not listed are stored."
MEND = "Correct the lines listed under rejected and send them again."
