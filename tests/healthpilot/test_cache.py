"""The cache that may go away: a miss instead of an error, no waiting for each key, and back by itself."""

import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from healthpilot import embedded
from healthpilot.cache import PAUSE_S, ForgivingRedisCache
from healthpilot.embedded import Home

PASSWORD = "pq9-Xmm2-long"


@pytest.fixture(autouse=True)
def unbroken() -> Iterator[None]:
    """Let no test inherit another's outage."""
    ForgivingRedisCache._retry_at.clear()
    yield
    ForgivingRedisCache._retry_at.clear()


@pytest.fixture
def home(open_folder: Path) -> Home:
    """A place for a Valkey of this test's own."""
    return Home(Path(tempfile.mkdtemp(dir=open_folder)) / "var")


def cache_at(url: str) -> ForgivingRedisCache:
    """Return a cache at an address."""
    return ForgivingRedisCache(url, {"KEY_PREFIX": "hp:"})


def test_without_redis_every_call_answers_as_an_empty_cache_would() -> None:
    away = cache_at("redis://127.0.0.1:1/0")
    away.set("a", 1)
    assert away.get("a", "nothing") == "nothing"
    assert away.get_many(["a"]) == {}
    assert away.set_many({"a": 1}) == ["a"]
    assert [away.add("a", 1), away.touch("a"), away.delete("a"), away.has_key("a")] == [False] * 4
    away.delete_many(["a"])
    away.clear()


def test_a_page_does_not_wait_once_for_each_key(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        away = cache_at(f"unix://{tmp_path / 'silent.sock'}")
        began = time.monotonic()
        for number in range(100):
            away.get(str(number))
        assert time.monotonic() - began < 10, "a hundred times the limit were longer"


def test_it_is_used_again_when_it_is_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_at(home.redis_url)
    with embedded.using(home, parts=["valkey"], say=lambda line: None):
        cache.set("a", 1)
        assert cache.get("a") == 1
    assert cache.get("a") is None
    with embedded.using(home, parts=["valkey"], say=lambda line: None):
        later = time.monotonic() + PAUSE_S
        monkeypatch.setattr(time, "monotonic", lambda: later)
        cache.set("a", 2)
        assert cache.get("a") == 2


def test_a_restart_between_two_calls_is_not_noticed(home: Home) -> None:
    cache = cache_at(home.redis_url)
    with embedded.using(home, parts=["valkey"], say=lambda line: None):
        cache.set("a", 1)
    with embedded.using(home, parts=["valkey"], say=lambda line: None):
        cache.set("a", 2)
        assert cache.get("a") == 2


@pytest.fixture
def away(settings: Settings) -> Iterator[None]:
    """Point the site's cache to where nothing listens."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert isinstance(caches["default"], ForgivingRedisCache)
    yield
    del caches["default"]


@pytest.mark.django_db
@pytest.mark.usefixtures("away")
def test_sign_in_pages_and_sign_out_go_on_while_redis_is_away(client: Client) -> None:
    User.objects.create_superuser("admin", password=PASSWORD)
    landed = client.post("/accounts/login/", {"login": "admin", "password": PASSWORD})
    assert (landed.status_code, landed.headers["Location"]) == (302, "/admin/cost")
    assert client.get("/admin/cost").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/admin/cost").status_code == 302


@pytest.mark.django_db
@pytest.mark.usefixtures("away")
def test_failed_sign_ins_stay_limited_while_redis_is_away(client: Client) -> None:
    User.objects.create_superuser("admin", password=PASSWORD)
    for _ in range(6):
        client.post("/accounts/login/", {"login": "admin", "password": "wrong"})
    refused = client.post("/accounts/login/", {"login": "admin", "password": PASSWORD})
    assert refused.status_code in {200, 429}
    assert client.get("/admin/cost").status_code == 302
