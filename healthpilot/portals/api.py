"""The JSON API: its routes, its OpenAPI document, and errors that say what to do."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from ninja.errors import AuthenticationError, HttpError, ValidationError

from costs.alert_api import router as cost_alerts_router
from costs.api import router as costs_router
from costs.budget_api import router as budgets_router
from healthpilot.dataqueue.api import router as jobs_router
from healthpilot.portals.openapi import HOW_TO, Api
from healthpilot.tokens.access import ScopeMissingError, TokenMissingError, token_or_role
from healthpilot.tokens.checking import WINDOW_S, TokenError, TooManyWrongTokensError
from healthpilot.web import VERSION
from healthpilot.web.access import CsrfMissingError, Refused, declared
from healthpilot.web.answers import json_error
from healthpilot.web.pages import CursorError
from healthpilot.web.roles import Role
from systemstatus.api import router as status_router
from telemetry.api import router as ingest_router

DOCUMENT_READERS = token_or_role("", Role.VIEWER)


def for_viewers(document: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Show the API's own description to whoever may use some of it: staff, and any token."""

    @wraps(document)
    def guarded(request: HttpRequest, **options: Any) -> HttpResponse:
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        try:
            known = any(check(request) for check in DOCUMENT_READERS)
        except Exception as error:
            return api.on_exception(request, error)
        return document(request, **options) if known else sign_in_first(request, AuthenticationError())

    return declared(guarded, Role.VIEWER)


api = Api(
    title="HealthPilot",
    version=VERSION,
    description="Costs of users, tiers and jobs, and the way in for their events. Money is a string with"
    " every digit; days are local to COST_TIMEZONE; times are UTC. Lists come by cursor, 50 a page, at most"
    " 200.",
    docs_url=None,
    docs_decorator=for_viewers,
    urls_namespace="api",
)
api.add_router("/admin/cost", costs_router)
api.add_router("/admin/cost", budgets_router)
api.add_router("/admin/cost", cost_alerts_router)
api.add_router("/ingest", ingest_router)
api.add_router("/jobs", jobs_router)
api.add_router("/status", status_router)


@api.exception_handler(AuthenticationError)
def sign_in_first(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = json_error(
        "sign_in_required",
        "This address needs a token, or the session of a signed-in staff account.",
        f"{HOW_TO} Or sign in at /accounts/login/ and send the session cookie with the request.",
        status=401,
    )
    answer["WWW-Authenticate"] = 'Bearer realm="HealthPilot", Session realm="HealthPilot"'
    return answer


@api.exception_handler(TokenMissingError)
def token_first(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = json_error("token_required", str(error), HOW_TO, status=401)
    answer["WWW-Authenticate"] = 'Bearer realm="HealthPilot"'
    return answer


@api.exception_handler(TokenError)
def wrong_token(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = json_error("invalid_token", str(error), HOW_TO, status=401)
    answer["WWW-Authenticate"] = 'Bearer realm="HealthPilot", error="invalid_token"'
    return answer


@api.exception_handler(TooManyWrongTokensError)
def slow_down(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = json_error(
        "too_many_wrong_tokens", str(error), f"Correct the token and try again in {WINDOW_S} s.", status=429
    )
    answer["Retry-After"] = str(WINDOW_S)
    return answer


@api.exception_handler(ScopeMissingError)
def scope_missing(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = json_error(
        "scope_required", str(error), "Make a token with that scope at /admin/tokens.", status=403
    )
    answer["WWW-Authenticate"] = 'Bearer realm="HealthPilot", error="insufficient_scope"'
    return answer


@api.exception_handler(Refused)
def role_too_low(request: HttpRequest, error: Refused | Any) -> HttpResponse:
    return json_error(error.code, error.message, error.remedy, status=403)


@api.exception_handler(CsrfMissingError)
def csrf_missing(request: HttpRequest, error: Exception) -> HttpResponse:
    return json_error(
        "csrf_required",
        str(error),
        "Send the csrftoken cookie's value as X-CSRFToken, or use a token instead of a session.",
        status=403,
    )


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


@api.exception_handler(Http404)
def nothing_there(request: HttpRequest, error: Exception) -> HttpResponse:
    return json_error("not_found", "There is nothing at this address.", "See /api/openapi.json.", status=404)


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError | Any) -> HttpResponse:
    """Say in the API's own form what the framework refused, such as a body that is not JSON."""
    return json_error(
        "bad_request", f"{error}.", "Correct it; see /api/openapi.json.", status=error.status_code
    )


@api.exception_handler(Exception)
def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Leave it to the site's own handler, with DEBUG too: 503 without a database, 500 otherwise."""
    raise error
