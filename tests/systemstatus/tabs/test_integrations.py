"""The tab Integrations: eight services, and none is green that was not asked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from systemstatus.probes.integrations import METRICS
from systemstatus.registry import Layer
from tests.costs.factories import make_staff
from tests.systemstatus.factories import HOSTILE, check, make_snapshot, this_minute
from tests.systemstatus.watched import module, only

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def brevo(client: Client) -> Iterator[None]:
    client.force_login(make_staff())
    with only(module("brevo", title="Brevo", layer=Layer.INTEGRATION, core=False, metrics=METRICS)):
        yield


def cards(client: Client) -> dict[str, str]:
    html = client.get("/admin/status/integrations").content.decode()
    parts = html.split('<section class="card service"')[1:]
    return {part.split('class="plain">')[1].split("<")[0]: part for part in parts}


def seen(**fields: Any) -> None:
    make_snapshot("brevo", **fields)


def test_the_eight_services_are_there_and_what_nothing_watches_is_unknown(client: Client) -> None:
    found = cards(client)
    assert list(found) == [
        "ConnexCS", "Brevo", "NOWPayments", "Ayrshare", "Upstash Redis", "Cloudflare R2", "OpenAI",
        "Playwright/Axe gate",
    ]  # fmt: skip
    assert all("s-ok" not in card for card in found.values())
    assert "Not watched" in found["OpenAI"]


def test_one_that_is_not_configured_says_how(client: Client) -> None:
    seen(state="disabled", checks=[check("calls", "disabled", error="BREVO_API_KEY is not set")])
    assert "Not configured" in cards(client)["Brevo"]
    assert "BREVO_API_KEY is not set." in cards(client)["Brevo"]


def test_without_traffic_it_is_unproven_and_not_green(client: Client) -> None:
    last = (this_minute() - timedelta(hours=6)).isoformat()
    seen(state="skipped", values={"integration.calls": 0}, detail={"last_ok_at": last})
    card = cards(client)["Brevo"]
    assert "Unproven" in card
    assert "No traffic. Last success 6 h ago." in card
    assert "s-ok" not in card


def test_one_that_answers_shows_how_well(client: Client) -> None:
    values = {"integration.calls": 40, "integration.failed": 1, "integration.latency": {"66": 40}}
    detail = {"circuit": "closed", "outcomes": {"2xx": 39, "5xx": 1}}
    seen(state="ok", values=values, detail=detail, checks=[check("calls")])
    card = cards(client)["Brevo"]
    for told in ("OK", "97.5\u202f%", "Latency p95", "Closed", "2xx 39, 5xx 1", "Last success just now."):
        assert told in card


def test_an_open_circuit_and_its_last_error_are_red_and_text(client: Client) -> None:
    detail = {"circuit": "open", "outcomes": {HOSTILE: 1}}
    seen(state="critical", detail=detail, checks=[check("ask", "failed", error=HOSTILE)], error=HOSTILE)
    card = cards(client)["Brevo"]
    assert "Open</span>" in card
    assert "Error" in card
    assert "<img" not in card
    assert "&lt;img" in card


def test_a_service_that_is_none_of_the_eight_has_a_card_as_well(client: Client) -> None:
    with only(module("fax", title="Fax", layer=Layer.INTEGRATION)):
        assert "Fax" in cards(client)
