"""Whom a request comes from: nobody chooses their own address, and a trusted proxy's word holds."""

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from healthpilot.web.peers import address_of
from tests.costs.factories import make_staff

PROXY, ADA, EVE = "10.0.0.1", "198.51.100.7", "203.0.113.9"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, PROXY),
        (0, ADA, PROXY),
        (1, ADA, ADA),
        (1, f"{EVE}, {ADA}", ADA),
        (2, f"{EVE}, {ADA}, 10.0.0.2", ADA),
        (2, ADA, PROXY),
        (1, None, PROXY),
        (1, "nonsense", PROXY),
        (1, f"{ADA}:4711", ADA),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_what_trusted_proxies_add_counts(
    proxies: int, forwarded: str | None, address: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert address_of(RequestFactory(headers=headers).get("/", REMOTE_ADDR=PROXY)) == address


@pytest.mark.django_db
def test_behind_a_proxy_who_guesses_passwords_does_not_shut_out_everybody_else(
    client: Client, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    make_staff("maren", password="correct horse battery")
    for number in range(10):
        sign_in(client, f"guess-{number}", "wrong", EVE)
    assert sign_in(client, "maren", "correct horse battery", EVE) != 302
    assert sign_in(client, "maren", "correct horse battery", ADA) == 302


def sign_in(client: Client, name: str, password: str, address: str) -> int:
    asked = {"login": name, "password": password}
    headers = {"X-Forwarded-For": address}
    return client.post("/accounts/login/", asked, headers=headers, REMOTE_ADDR=PROXY).status_code
