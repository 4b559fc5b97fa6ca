"""Pages tell how they were: it is counted, within limits, without a session, a query or a person."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from healthpilot.portals import vitals as beacon
from telemetry import vitals

GOOD = {"portal": "marketing", "lcp": 800, "cls": 0.01}


@pytest.fixture(autouse=True)
def own_gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(beacon, "gate", beacon.Gate())
    vitals.observed.take()
    yield
    vitals.observed.take()


def sent(body: Any, **headers: str) -> int:
    text = body if isinstance(body, str) else json.dumps(body)
    client = Client(enforce_csrf_checks=True)
    return client.post("/vitals", text, content_type="application/json", headers=headers).status_code


def counted() -> dict[tuple[str, ...], int]:
    return {key: histogram.count for key, histogram in vitals.observed.take().items()}


def test_a_visit_is_counted_without_a_query_and_without_a_cookie() -> None:
    # No mark lets this test ask the database: a query would fail it.
    answer = Client().post("/vitals", json.dumps(GOOD), content_type="application/json")
    assert (answer.status_code, answer.content, answer.cookies.output()) == (204, b"", "")
    assert counted() == {("marketing", "lcp"): 1, ("marketing", "cls"): 1}


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 400), ("{", 400), ("[" * 400, 400), ({"portal": "admin"}, 400), ({**GOOD, "who": "ada"}, 400),
     ("\udcff", 400), (json.dumps(GOOD) + " " * 600, 413)],
)  # fmt: skip
def test_what_is_not_understood_or_too_long_is_not_counted(body: Any, status: int) -> None:
    text = body.encode("utf-8", "surrogateescape").decode("latin-1") if isinstance(body, str) else body
    assert sent(text) == status
    assert counted() == {}


def test_pages_of_other_sites_are_not_heard() -> None:
    assert sent(GOOD, **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert sent(GOOD, **{"Sec-Fetch-Site": "same-origin"}) == 204
    assert Client().get("/vitals").status_code == 405


def test_one_address_and_all_together_are_limited_by_the_minute() -> None:
    gate = beacon.Gate()
    assert sum(gate.lets("10.0.0.1", 0) for _ in range(100)) == beacon.MOST_OF_ONE
    assert gate.lets("10.0.0.2", 1)
    assert sum(gate.lets(f"10.1.{n // 250}.{n % 250}", 2) for n in range(2000)) == beacon.MOST_A_MINUTE - 61
    assert gate.lets("10.0.0.1", 60), "the next minute begins anew"
    for _ in range(beacon.MOST_OF_ONE):
        sent(GOOD)
    assert sent(GOOD) == 429


@pytest.mark.django_db
def test_a_page_says_which_portal_it_is_of_and_none_is_told_where_it_is_off(settings: Settings) -> None:
    assert 'data-portal="marketing"' in Client().get("/").content.decode()
    assert 'data-portal="admin"' in Client().get("/accounts/login/").content.decode()
    settings.VITALS_PERCENT = 0
    assert "vitals" not in Client().get("/").content.decode()
