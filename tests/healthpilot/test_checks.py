"""The system checks: each fires on what it is for, and none on the settings as they come."""

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from healthpilot import checks, embedded


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_the_settings_as_they_come_raise_nothing() -> None:
    assert run_checks() == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "UTC+2"])
def test_an_unknown_cost_time_zone_is_an_error(settings: Settings, zone: str) -> None:
    settings.COST_TIMEZONE = zone
    assert ids(checks.check_time_zone(None)) == ["healthpilot.E001"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_a_known_cost_time_zone_is_none(settings: Settings, zone: str) -> None:
    settings.COST_TIMEZONE = zone
    assert checks.check_time_zone(None) == []


def test_a_socket_path_beyond_the_systems_limit_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setattr(embedded.home, "SHORT_FOLDER", tmp_path_factory.getbasetemp() / ("deep" * 30))
    assert ids(checks.check_socket_path(None)) == ["healthpilot.E002"]
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/x")
    assert checks.check_socket_path(None) == []


@pytest.mark.parametrize("tiers", [["free", "free"], ["a-tier-with-a-name-too-long"]])
def test_tiers_named_twice_or_too_long_are_an_error(settings: Settings, tiers: list[str]) -> None:
    settings.TIERS = tiers
    assert ids(checks.check_tiers(None)) == ["healthpilot.E003"]


def test_debug_on_a_site_for_others_is_a_warning(settings: Settings) -> None:
    settings.DEBUG = settings.HEALTHPILOT_HTTPS = True
    assert ids(checks.check_debug(None)) == ["healthpilot.W001"]
    settings.HEALTHPILOT_HTTPS = False
    assert checks.check_debug(None) == []
