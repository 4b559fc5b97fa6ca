"""What a view answers with: a page, the fragment HTMX asked for, errors as JSON or as a notice."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from ninja import Schema

HTMX_HEADERS = ("HX-Request", "HX-History-Restore-Request")


class ErrorDetail(Schema):
    """What went wrong: a code for programs, a sentence for people, and what to do about it."""

    code: str
    message: str
    remedy: str
    reference: str | None = None


class ErrorBody(Schema):
    """The body of every error."""

    error: ErrorDetail


def wants_fragment(request: HttpRequest) -> bool:
    """Return whether HTMX will swap the answer in; a restored history entry needs the whole page."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def page_or_fragment(
    request: HttpRequest, *, page: str, fragment: str, context: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """Render the fragment for HTMX and the page around it for everybody else, told apart in every cache."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, dict(context), status=status)
    patch_vary_headers(response, HTMX_HEADERS)
    return response


def notice(request: HttpRequest, context: Mapping[str, Any], *, status: int) -> HttpResponse:
    """Answer an HTMX request that failed: a banner above the page, whose old figures stay."""
    response = render(request, "components/_notice.html", dict(context), status=status)
    response["HX-Retarget"] = "#notice"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Push-Url"] = "false"
    return response


def error_body(code: str, message: str, remedy: str, **details: Any) -> dict[str, Any]:
    """Return the body of every JSON error: a code for programs, a sentence and what to do for people."""
    return {"error": {"code": code, "message": message, "remedy": remedy, **details}}


def json_error(code: str, message: str, remedy: str, *, status: int, **details: Any) -> JsonResponse:
    return JsonResponse(error_body(code, message, remedy, **details), status=status)
