"""Addresses: what leads where, and that nothing catches all."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.costs.factories import make_staff


@pytest.mark.parametrize("path", ["/admin", "/admin/"])
def test_the_admin_starts_at_the_cost_page(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == "/admin/cost"


def test_the_data_tables_use_the_same_sign_in(client: Client) -> None:
    assert client.get("/admin/django/login/?next=/admin/django/")["Location"].startswith(
        "/accounts/login/?next="
    )


@pytest.mark.django_db
def test_unknown_addresses_below_the_data_tables_are_not_caught(client: Client) -> None:
    client.force_login(make_staff(is_superuser=True))
    assert client.get("/admin/django/nowhere/").status_code == 404
    assert client.get("/admin/nowhere").status_code == 404


def test_no_route_catches_everything() -> None:
    def patterns(found: list[URLPattern | URLResolver], prefix: str = "") -> list[str]:
        return [
            text
            for one in found
            for text in (
                patterns(one.url_patterns, prefix + str(one.pattern))
                if isinstance(one, URLResolver)
                else [prefix + str(one.pattern)]
            )
        ]

    routes = patterns(get_resolver().url_patterns)
    assert routes
    assert not [route for route in routes if ".*" in route or "<path:url>" in route]
