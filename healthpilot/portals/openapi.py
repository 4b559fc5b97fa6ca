"""The API object: ninja's, with HEAD and OPTIONS everywhere and a document that leaves nothing out."""

from http import HTTPStatus
from typing import Any

from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from healthpilot.tokens.access import BearerToken
from healthpilot.web.access import StaffSession
from healthpilot.web.answers import error_body
from healthpilot.web.methods import whole_http

TAGS = [
    {"name": "cost", "description": "What everything cost: a token with cost:read, or an admin's session."},
    {"name": "budgets", "description": "Caps of scopes: cost:read to see them, budgets:write to set them."},
    {"name": "jobs", "description": "Background jobs: a token with jobs:read, or a viewer's session."},
    {"name": "status", "description": "How all stands: a token with status:read, or a viewer's session."},
    {"name": "ingest", "description": "Events from other programs: a token with events:write."},
]
HOW_TO = "Make a token at /admin/tokens or with ./run manage token create, and send it as a bearer token."
ERRORS = {
    "400": error_body("bad_request", "Cannot parse request body.", "Correct it; see /api/openapi.json."),
    "401": error_body("invalid_token", "This token is not known.", HOW_TO),
    "403": error_body(
        "scope_required",
        "This needs a token with the scope cost:read; this one has events:write.",
        "Make a token with that scope at /admin/tokens.",
    ),
    "404": error_body("not_found", "There is no job 7.", "Ended jobs are removed in time."),
    "409": error_body(
        "event_conflict",
        "Line 2: the event_id a1 was sent before with another body.",
        "Give a different event a new event_id; the lines that are not listed are stored.",
    ),
    "411": error_body("length_required", "The body came in chunks.", "Send it with a Content-Length."),
    "413": error_body(
        "too_many_events", "The body has more than 1,000 lines; none was stored.", "Send fewer."
    ),
    "415": error_body(
        "unsupported_type", "Content-Type is 'text/plain'.", "Send application/x-ndjson in UTF-8."
    ),
    "422": error_body(
        "invalid_parameter",
        "days: Input should be less than or equal to 366.",
        "Correct it and ask again; /api/openapi.json lists what is allowed.",
    ),
    "429": error_body(
        "too_many_wrong_tokens", "Too many wrong tokens came from this address.", "Try again in 60 s."
    ),
    "502": error_body(
        "webhook_failed",
        "Not delivered: hooks.example.com gave no answer within 10 s.",
        "Mend what it says, then test again. The message was msg_test_0a1b.",
    ),
    "503": error_body(
        "unavailable",
        "The database does not answer.",
        "Nothing is lost. Try again in a moment.",
        reference="HP-1F2E3D4C",
    ),
}
# What any route may answer: no token, no right, nonsense, too many wrong tokens, no database.
COMMON = (401, 403, 422, 429, 503)
ERROR_SCHEMA = "#/components/schemas/ErrorBody"
TEXT = {"schema": {"type": "string"}}
WAIT = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before the next try."}}
HEADERS: dict[str, dict[str, Any]] = {
    "401": {"WWW-Authenticate": TEXT | {"description": "How to say who asks."}},
    "429": WAIT,
    "503": WAIT,
}
ETAG = {"ETag": TEXT | {"description": "Send it as If-None-Match to get 304 while nothing changed."}}


class Api(NinjaAPI):
    """HealthPilot's API."""

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        patterns: list[URLResolver | URLPattern] = super()._get_urls()
        for pattern in patterns:
            assert isinstance(pattern, URLPattern)
            pattern.callback = whole_http(pattern.callback)
        return patterns

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the document with scopes, examples of errors and the headers that matter."""
        document = super().get_openapi_schema(**options)
        document["tags"] = TAGS
        operations = self.operations_by_id()
        for methods in document["paths"].values():
            for method, told in methods.items():
                told["security"] = security_of(operations[told["operationId"]])
                common = (400, *COMMON) if "requestBody" in told else COMMON
                complete_responses(told["responses"], common, is_read=method == "get")
        return document

    def operations_by_id(self) -> dict[str, Operation]:
        return {
            operation.operation_id or self.get_openapi_operation_id(operation): operation
            for router in self._get_bound_routers()
            for view in router.path_operations.values()
            for operation in view.operations
        }


def security_of(operation: Operation) -> list[dict[str, list[str]]]:
    """Return who may use an operation: a token with its scope, or a session with its role."""
    return [
        {type(check).__name__: [check.scope] if isinstance(check, BearerToken) else [check.role.group]}
        for check in operation.auth_callbacks
        if isinstance(check, BearerToken | StaffSession)
    ]


def complete_responses(
    responses: dict[Any, dict[str, Any]], common: tuple[int, ...], *, is_read: bool
) -> None:
    """Add the refusals that any route may answer, an example to every error, the headers of each status."""
    for status in common:
        if status not in responses:
            content = {"application/json": {"schema": {"$ref": ERROR_SCHEMA}}}
            responses[status] = {"description": HTTPStatus(status).phrase, "content": content}
    for status, told in responses.items():
        code = str(status)
        headers = HEADERS.get(code, {}) | (
            ETAG if is_read and "304" in map(str, responses) and code in {"200", "304"} else {}
        )
        if headers:
            told["headers"] = headers
        for content in told.get("content", {}).values():
            if code in ERRORS:
                content.setdefault("example", ERRORS[code])
