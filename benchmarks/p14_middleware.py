"""P14: what the middleware that counts requests adds to a view, in microseconds a request."""

import time
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Spread
from telemetry.requests import count_requests, observed

TURNS: Final = 15
CALLS: Final = 20_000


def measure(bench: Bench) -> Measurement:
    """Time the same view with and without, turn by turn; the difference of each turn counts."""
    request = RequestFactory().get("/healthz/live")
    request.resolver_match = resolve("/healthz/live")

    def view(request: HttpRequest) -> HttpResponse:
        return answer

    answer = HttpResponse("ok")
    counted = count_requests(view)
    added = []
    for turn in range(TURNS + 1):
        without_s, with_s = spent(view, request), spent(counted, request)
        if turn:
            added.append((with_s - without_s) / CALLS * 1e6)
    observed.take()
    note = f"{CALLS:,} calls a turn; the figure is µs a request, lock and histogram included"
    return Measurement(Spread.of(added), TURNS, note)


def spent(handler: object, request: HttpRequest) -> float:
    call = handler
    began = time.perf_counter()
    for _ in range(CALLS):
        call(request)  # type: ignore[operator] # a view or a middleware
    return time.perf_counter() - began
