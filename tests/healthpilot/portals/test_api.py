"""The API's document: whole, true, and the page made from it."""

import re
from typing import Any

import pytest
from django.test import Client

from healthpilot.portals.api import api
from healthpilot.tokens.scopes import SCOPES
from healthpilot.web.roles import Role
from tests.costs.factories import bearer, make_token, make_with_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make_with_role(Role.VIEWER))
    return client


@pytest.fixture
def document(viewer: Client) -> dict[str, Any]:
    body: dict[str, Any] = viewer.get("/api/openapi.json").json()
    return body


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def test_every_route_of_the_api_is_in_the_document(document: dict[str, Any]) -> None:
    routed = {
        re.sub(r"{\w+:", "{", f"/api{router.prefix}{path}")
        for router in api._get_bound_routers()
        for path in router.path_operations
    }
    assert set(document["paths"]) == routed
    assert {told["tags"][0] for _, told in operations(document)} == {tag["name"] for tag in document["tags"]}


def test_every_operation_says_who_may_what_comes_back_and_what_can_go_wrong(document: dict[str, Any]) -> None:
    for name, told in operations(document):
        scopes = [
            scope for one in told["security"] for scope in one.get("BearerToken", one.get("TokenOnly", []))
        ]
        assert set(scopes) <= set(SCOPES), name
        assert scopes, name
        assert told["summary"], name
        assert told["description"], name
        assert set(told["responses"]) >= {"200", "401", "403", "422", "429", "503"}, name
        for status, answer in told["responses"].items():
            if int(status) >= 400:
                assert answer["content"]["application/json"]["example"]["error"]["remedy"], (name, status)
        assert told["responses"]["503"]["headers"]["Retry-After"], name
        for parameter in told["parameters"]:
            assert parameter["description"], (name, parameter["name"])


def test_every_scheme_and_schema_named_in_the_document_is_there(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    for name, told in operations(document):
        assert {scheme for one in told["security"] for scheme in one} <= set(schemes), name
    text = str(document)
    named = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(document["components"]["schemas"])


def test_a_token_of_any_scope_may_read_the_document() -> None:
    assert Client().get("/api/openapi.json", headers=bearer(make_token("events:write"))).status_code == 200
    assert Client().get("/api/openapi.json", headers=bearer("hp_x_y")).status_code == 401


def test_the_page_shows_every_route_with_a_line_to_copy(viewer: Client, document: dict[str, Any]) -> None:
    page = viewer.get("/admin/api").content.decode()
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page
        assert f"http://testserver{path.split('{')[0]}" in page
    assert "--data-binary" in page
    assert "cost:read" in page
    assert "<script src" in page
    assert "https://" not in page.replace("https://www.w3.org", "")


def test_only_admins_are_led_to_the_tokens(viewer: Client, client: Client) -> None:
    assert "An admin makes one for you" in viewer.get("/admin/api").content.decode()


def test_unknown_addresses_of_the_api_answer_json(viewer: Client) -> None:
    for path in ("/api/", "/api/nowhere", "/api/admin/cost/nothing"):
        answer = viewer.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
