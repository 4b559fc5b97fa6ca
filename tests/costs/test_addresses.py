"""Names in addresses: one address each, and nothing on the way may change it."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve, reverse
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
ODD = [
    "",
    ".",
    "..",
    "/",
    "../..",
    "a/b",
    "%2F",
    "%",
    "?x#y",
    " ",
    "~",
    "~YQ",
    "\u202eevil",
    "🦄" * 40,
    "<b>",
]


@settings(deadline=None)  # the first call makes the URL patterns
@given(NAMES)
@pytest.mark.parametrize("route", ["user", "domain", "model", "job_type"])
def test_every_name_comes_back_from_its_address(route: str, name: str) -> None:
    assert resolve(reverse(f"costs:{route}", args=[name])).kwargs["name"] == name


@pytest.mark.parametrize("name", ODD)
def test_browsers_and_proxies_find_nothing_to_rewrite(name: str) -> None:
    address = reverse("costs:user", args=[name])
    assert re.fullmatch(r"/admin/cost/users/[A-Za-z0-9_.@:~-]+", address)
    assert urlsplit(urljoin("http://host/", address)).path == address


def test_common_names_stay_readable() -> None:
    assert reverse("costs:model", args=["gpt-4.1-nano"]) == "/admin/cost/models/gpt-4.1-nano"
    assert reverse("costs:user", args=["ada@example.com"]) == "/admin/cost/users/ada@example.com"


@pytest.mark.parametrize("segment", ["~YWRh", "~YR", "~_w", "~AA", "~" + "YWFh" * 20, "a" * 41, "a/b", ""])
def test_a_second_spelling_of_a_name_is_no_address(segment: str) -> None:
    with pytest.raises(Resolver404):
        resolve(f"/admin/cost/users/{segment}")
