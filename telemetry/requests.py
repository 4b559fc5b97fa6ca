"""Counts every request by its route's template in this process; nothing is stored on a request's way."""

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from telemetry.flushing import Flusher
from telemetry.histograms import Observed

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE: Final = "(no route)"
# Durations in milliseconds by (route, method, status class).
observed: Final = Observed()
flusher: Final = Flusher("requests", observed)

# A visit of System Status itself counts under this method: it is no part of what visitors wait for.
CHECK: Final = "CHECK"
MARK_HEADER: Final = "X-HealthPilot-Check"
MARK_KEY: Final = "HTTP_X_HEALTHPILOT_CHECK"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def count_requests(get_response: GetResponse) -> GetResponse:
    """Return Django's middleware that counts and times whatever is within it."""
    observe, begin = observed.observe, flusher.begin

    def counted(request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        response = get_response(request)
        observe(name_of(request, response.status_code), (perf_counter() - began) * 1000)
        begin()
        return response

    return counted


@lru_cache(maxsize=1)
def mark() -> str:
    """Return what marks a visit of System Status, which nobody else can make."""
    return salted_hmac("telemetry.requests", "check").hexdigest()


def name_of(request: HttpRequest, status: int) -> tuple[str, str, str]:
    """Return under what a request counts: never its path, which holds whatever people typed."""
    match = request.resolver_match
    method = request.method if request.method in METHODS else "OTHER"
    if request.META.get(MARK_KEY) == mark():
        method = CHECK
    return (f"/{match.route}" if match else NO_ROUTE, method or "OTHER", f"{status // 100}xx")
