"""What is asked of registries, buckets and the last look in a browser; and what is not configured says so."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from systemstatus.probes import domains, elsewhere, gate, r2, trials
from systemstatus.registry import CheckState
from telemetry.outbound.client import circuits


@pytest.fixture(autouse=True)
def fresh_clients() -> Any:
    made = (domains.client, domains.servers, r2.client, trials.client)
    for one in made:
        one.cache_clear()
    circuits.clear()
    yield
    for one in made:
        one.cache_clear()
    circuits.clear()


@pytest.fixture
def registry(httpserver: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    """IANA's list and a registry, which know good.test for 40 days more, and bare.test without an end."""
    monkeypatch.setattr(domains, "LIST", httpserver.url_for("/dns.json"))
    httpserver.expect_request("/dns.json").respond_with_json(
        {"services": [[["test"], [httpserver.url_for("/rdap/")]]]}
    )
    end = (datetime.now(UTC) + timedelta(days=40, minutes=5)).isoformat()
    events = [{"eventAction": "registration", "eventDate": "2001-01-01T00:00:00Z"},
              {"eventAction": "expiration", "eventDate": end}]  # fmt: skip
    httpserver.expect_request("/rdap/domain/good.test").respond_with_json({"events": events})
    httpserver.expect_request("/rdap/domain/bare.test").respond_with_json({"events": []})
    settings.STATUS_DOMAINS = ["good.test"]
    return httpserver


def test_a_name_has_the_days_that_its_registry_tells(registry: HTTPServer) -> None:
    reading = domains.days_left()
    assert (reading.state, reading.values) == (CheckState.OK, {"tls.days": {"good.test": 40.0}})


def test_a_name_that_nobody_tells_of_fails_and_the_others_count(
    registry: HTTPServer, settings: Settings
) -> None:
    settings.STATUS_DOMAINS = ["good.test", "bare.test", "gone.test", "x.nowhere", "no name"]
    reading = domains.days_left()
    assert reading.state == CheckState.FAILED
    assert reading.values == {"tls.days": {"good.test": 40.0}}
    for said in ("bare.test: the registry names no end", "gone.test: http", "nobody answers for .nowhere",
                 "no name: it is no domain name"):  # fmt: skip
        assert said in reading.note


def page(sizes: list[int], after: str = "") -> str:
    listed = "".join(f"<Contents><Size>{size}</Size></Contents>" for size in sizes)
    return f"<R>{listed}{f'<NextContinuationToken>{after}</NextContinuationToken>' if after else ''}</R>"


@pytest.fixture
def bucket(settings: Settings, httpserver: HTTPServer) -> HTTPServer:
    settings.R2_ENDPOINT_URL = httpserver.url_for("").rstrip("/")
    settings.R2_BUCKET, settings.R2_ACCESS_KEY_ID, settings.R2_SECRET_ACCESS_KEY = "files", "k", "s"
    return httpserver


def test_a_bucket_is_counted_over_its_pages(bucket: HTTPServer) -> None:
    asked = bucket.expect_ordered_request("/files")
    asked.respond_with_data(page([10, 20], "a&amp;b"))
    bucket.expect_ordered_request("/files").respond_with_data(page([5]))
    assert r2.contents().values == {"storage.objects": 3, "storage.bytes": 35}
    assert bucket.log[1][0].args["continuation-token"] == "a&b"


def test_a_bucket_too_large_to_count_has_no_figure(bucket: HTTPServer) -> None:
    bucket.expect_request("/files").respond_with_data(page([1] * 1000, "more"))
    reading = r2.contents()
    assert (dict(reading.values), reading.note) == ({}, "More than 10,000 objects: they are not counted")


def looked(folder: Path, found: Any, *, days: float = 0) -> None:
    path = folder / gate.NAME
    path.write_text(found if isinstance(found, str) else json.dumps(found))
    at = timezone.now().timestamp() - days * 86_400
    os.utime(path, (at, at))


@pytest.mark.parametrize(
    ("found", "days", "state", "said"),
    [
        ([{"page": "cost", "look": "390 dark", "found": {"axe": []}}], 0, CheckState.OK, ""),
        ([{"page": "cost", "look": "390 dark", "found": {"axe": ["a", "b"]}}], 0, CheckState.FAILED,
         "2 findings, the first on “cost”: axe"),
        ([{"page": "cost", "look": "390 dark", "found": {"axe": []}}], 8, CheckState.SKIPPED, "Unproven"),
        ([], 0, CheckState.UNKNOWN, "tells of no page"),
        ("{", 0, CheckState.UNKNOWN, "tells of no page"),
        ([1], 0, CheckState.UNKNOWN, "tells of no page"),
    ],
)  # fmt: skip
def test_the_last_look_counts_while_it_is_new(
    tmp_path: Path, settings: Settings, found: Any, days: float, state: CheckState, said: str
) -> None:
    settings.HEALTHPILOT_VAR = tmp_path
    looked(tmp_path, found, days=days)
    reading = gate.last_look()
    assert reading.state == state
    assert said in reading.note


def test_what_is_not_configured_is_never_well(tmp_path: Path, settings: Settings) -> None:
    settings.HEALTHPILOT_VAR = tmp_path
    settings.STATUS_DOMAINS, settings.R2_BUCKET = [], ""
    settings.NOWPAYMENTS_API_KEY = settings.AYRSHARE_API_KEY = settings.BREVO_API_KEY = ""
    settings.REDIS_ADDRESS = "redis://localhost:6379/0"
    asked = (domains.days_left, gate.last_look, r2.contents, elsewhere.connexcs, elsewhere.upstash,
             trials.nowpayments, trials.ayrshare, trials.brevo)  # fmt: skip
    for one in asked:
        reading = one()
        assert (reading.state, dict(reading.values)) == (CheckState.DISABLED, {}), one
        assert reading.note, one


def test_a_hosted_redis_that_is_not_encrypted_fails(settings: Settings) -> None:
    settings.REDIS_ADDRESS = "redis://eu1.upstash.io:6379"
    assert elsewhere.upstash().state == CheckState.FAILED


@pytest.mark.parametrize(
    ("ask", "base", "path", "header"),
    [(trials.nowpayments, "NOWPAYMENTS", "/merchant/coins", "x-api-key"),
     (trials.ayrshare, "AYRSHARE", "/user", "Authorization")],
)  # fmt: skip
def test_a_service_is_tried_with_its_own_key(
    ask: Any, base: str, path: str, header: str, settings: Settings, httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(trials, base, httpserver.url_for("").rstrip("/"))
    setattr(settings, f"{base}_API_KEY", "secret")
    httpserver.expect_request(path).respond_with_json({})
    assert ask().state == CheckState.OK
    assert "secret" in httpserver.log[0][0].headers[header]
