"""System checks: what would make figures or services wrong although every setting parses."""

import os
import zoneinfo
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from healthpilot import commandline

SOCKET_PATH_LIMIT_BYTES = 107


@register
def check_time_zone(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E001: COST_TIMEZONE must name a zone of the tz database, for days are counted by it."""
    try:
        zoneinfo.ZoneInfo(settings.COST_TIMEZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = "Write a name such as UTC, Europe/Berlin or Asia/Kolkata."
        message = f"COST_TIMEZONE={settings.COST_TIMEZONE!r} is no time zone."
        return [Error(message, hint=hint, id="healthpilot.E001")]
    return []


@register
def check_socket_path(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E002: the system cuts socket paths off at about 107 bytes."""
    path = str(settings.HOME.valkey_socket)
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT_BYTES or not commandline.embedded_parts():
        return []
    hint = "Set DATABASE_URL and REDIS_URL to servers of yours."
    message = f"The socket path {path} is longer than {SOCKET_PATH_LIMIT_BYTES} bytes."
    return [Error(message, hint=hint, id="healthpilot.E002")]


@register
def check_tiers(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E003: tiers are keys of figures and sheds, so each may be named once and must fit its column."""
    tiers = settings.TIERS
    if len(set(tiers)) == len(tiers) and all(len(tier) <= 16 for tier in tiers):
        return []
    hint = "Name every tier once, in 16 characters or fewer, the first to be shed first."
    return [Error(f"TIERS={','.join(tiers)!r} is not usable.", hint=hint, id="healthpilot.E003")]


@register
def check_debug(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """W001: error pages of DEBUG show settings and data to everybody who reaches the site."""
    if not (settings.DEBUG and settings.HEALTHPILOT_HTTPS):
        return []
    hint = "Unset DEBUG, or allow only loopback hosts."
    return [
        checks.Warning(
            "DEBUG is on while the site may be reached from elsewhere.", hint=hint, id="healthpilot.W001"
        )
    ]
