"""An application of its own that records one call per request, served by gunicorn in the tests."""

import os
from collections.abc import Callable, Iterable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthpilot.settings")
django.setup()

from telemetry.record import record_llm_event  # noqa: E402 - Django comes first
from tests.telemetry.test_record import CALL  # noqa: E402 - its imports want Django set up

# Recorded before the workers are forked, where gunicorn preloads the application.
record_llm_event({**CALL, "user_id": "start"})


def application(
    environ: dict[str, str], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Record a call of the user whom the path names; answers whether it is durable, and by which process."""
    is_kept = record_llm_event({**CALL, "user_id": environ["PATH_INFO"].strip("/")})
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{is_kept} {os.getpid()}".encode()]
