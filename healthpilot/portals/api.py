"""The JSON API: its routes, its OpenAPI document, and errors that say what to do."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from costs.api import router as costs_router
from healthpilot.web import VERSION
from healthpilot.web.access import ASK_FOR_STAFF, NOT_STAFF, StaffOnly, is_staff
from healthpilot.web.answers import json_error
from healthpilot.web.pages import CursorError


def for_staff(document: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Show the API's own description to staff only, as its routes are."""

    @wraps(document)
    def guarded(request: HttpRequest, **options: Any) -> HttpResponse:
        if is_staff(request):
            return document(request, **options)
        signed_in = request.user.is_authenticated
        return (
            staff_only(request, StaffOnly()) if signed_in else sign_in_first(request, AuthenticationError())
        )

    return guarded


api = NinjaAPI(
    title="HealthPilot",
    version=VERSION,
    description="Costs of users, tiers and jobs. Money is a string; days are local to COST_TIMEZONE.",
    docs_url=None,
    docs_decorator=for_staff,
    urls_namespace="api",
)
api.add_router("/admin/cost", costs_router)


@api.exception_handler(AuthenticationError)
def sign_in_first(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = json_error(
        "sign_in_required",
        "This address needs the session of a signed-in staff account.",
        "Sign in at /accounts/login/ and send the session cookie with the request.",
        status=401,
    )
    answer["WWW-Authenticate"] = 'Session realm="HealthPilot"'
    return answer


@api.exception_handler(StaffOnly)
def staff_only(request: HttpRequest, error: Exception) -> HttpResponse:
    return json_error("staff_required", NOT_STAFF, ASK_FOR_STAFF, status=403)


@api.exception_handler(ValidationError)
def bad_parameter(request: HttpRequest, error: ValidationError | Any) -> HttpResponse:
    """Name the first parameter that is wrong and what is wrong with it."""
    first = error.errors[0]
    name = str(first["loc"][-1])
    return json_error(
        "invalid_parameter",
        f"{name}: {first['msg']}.",
        "Correct it and ask again; /api/openapi.json lists what is allowed.",
        status=422,
    )


@api.exception_handler(CursorError)
def bad_cursor(request: HttpRequest, error: Exception) -> HttpResponse:
    return json_error(
        "invalid_cursor",
        f"cursor: {error}.",
        "Leave the cursor out to start from the first page.",
        status=422,
    )
