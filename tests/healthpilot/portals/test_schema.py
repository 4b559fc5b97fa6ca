"""The API against its document: generated requests, good and bad, get what it promises and break nothing."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from healthpilot.tokens.scopes import SCOPES
from healthpilot.wsgi import application
from tests.costs.factories import bearer, make_month, make_token

PROMISES = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip


@schemathesis.serializer("application/x-ndjson")
def ndjson(context: Any, value: Any) -> bytes:
    """Return a generated body as bytes, whatever was generated."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode(errors="surrogatepass")


@pytest.fixture
def token(db: None) -> Iterator[str]:
    cache.clear()
    make_month(days=5, users=3)
    # As Django's own test client does: a server gives its connection back after a request, and with it the
    # test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield make_token(*SCOPES)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    cache.clear()


def test_generated_requests_get_what_the_document_promises(token: str) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application, headers=bearer(token))
    operations: list[Any] = [cast(Any, found).ok() for found in schema.get_all_operations()]
    assert len(operations) >= 10
    for operation in operations:
        for mode in GenerationMode:
            try_generated(operation.as_strategy(generation_mode=mode), token)


def try_generated(cases: Any, token: str) -> None:
    """Send the cases, the same ones each time, and hold the answers against the document."""

    @given(case=cases)
    @settings(
        max_examples=6,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        case.validate_response(case.call(headers=bearer(token)), checks=PROMISES)

    send()
