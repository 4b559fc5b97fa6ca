"""HEAD, OPTIONS and 405 for views that know only the methods they were written for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from healthpilot.web.answers import json_error

ApiView = Callable[..., HttpResponse]


def whole_http(view: ApiView) -> ApiView:
    """Answer HEAD as GET without its body, OPTIONS with what is allowed, and 405 as JSON that says so."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.method
        if asked == "HEAD":
            request.method = "GET"
        response = view(request, *args, **kwargs)
        request.method = asked
        if response.status_code == 405:
            return allowed_only(request, response["Allow"])
        return without_body(response) if asked == "HEAD" else response

    return answered


def allowed_only(request: HttpRequest, allow: str) -> HttpResponse:
    """Return 204 with the allowed methods for OPTIONS, and 405 for the others."""
    methods = {method.strip() for method in allow.split(",") if method.strip()}
    methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    named = ", ".join(sorted(methods))
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": named})
    answer = json_error(
        "method_not_allowed",
        f"{request.method} is not allowed here.",
        f"Allowed are {named}; see /api/openapi.json.",
        status=405,
    )
    answer["Allow"] = named
    return answer


def without_body(response: HttpResponse) -> HttpResponse:
    """Return the response with the length its body had, and without the body."""
    response["Content-Length"] = str(len(response.content))
    response.content = b""
    return response
