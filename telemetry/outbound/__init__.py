"""The one way to ask other services over HTTP: limits, retries, a circuit breaker, measured and redacted."""

from telemetry.outbound.circuits import CircuitOpenError
from telemetry.outbound.client import Client, OutboundError, observe
from telemetry.outbound.guard import ForbiddenAddressError, check_url
from telemetry.outbound.guarding import guarding

__all__ = [
    "CircuitOpenError",
    "Client",
    "ForbiddenAddressError",
    "OutboundError",
    "check_url",
    "guarding",
    "observe",
]
