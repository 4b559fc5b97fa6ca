"""System checks: channels that are named but could never deliver."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from systemstatus.notify import chat
from telemetry.outbound import ForbiddenAddressError, check_url

MAKE_ONE = "Write whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)"


@register
def check_channels(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E001 to E004 and W001: the webhook's address and secret, apprise's addresses, a watchdog's channels."""
    return [*webhook(), *apprise_addresses(), *mail_addresses(), *watchdog_channels()]


def webhook() -> Iterator[CheckMessage]:
    """E001: an address that must not be asked. E002: no secret to sign with."""
    if not settings.ALERT_WEBHOOK_URL:
        return
    try:
        check_url(settings.ALERT_WEBHOOK_URL, allows_private=settings.ALERT_ALLOW_PRIVATE)
    except ForbiddenAddressError as error:
        hint = "Correct ALERT_WEBHOOK_URL."
        yield Error(f"ALERT_WEBHOOK_URL is not usable: {error}", hint=hint, id="systemstatus.E001")
    if not 24 <= len(secret_bytes(settings.ALERT_WEBHOOK_SECRET)) <= 64:
        yield Error("ALERT_WEBHOOK_SECRET is not usable.", hint=MAKE_ONE, id="systemstatus.E002")


def secret_bytes(secret: str) -> bytes:
    """Return a secret's bytes; none where it is no base64."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
    except (binascii.Error, ValueError):
        return b""


def apprise_addresses() -> Iterator[CheckMessage]:
    """E003: an address of a scheme that is not allowed, or that apprise does not understand."""
    hint = "See the apprise documentation for the address, and allow its scheme in ALERT_APPRISE_SCHEMES."
    for fault in chat.faults(settings.ALERT_APPRISE_URLS):
        yield Error(f"{fault}.", hint=hint, id="systemstatus.E003")


def mail_addresses() -> Iterator[CheckMessage]:
    """E004: an e-mail address that is none."""
    for address in settings.ALERT_EMAIL_TO:
        if "@" not in address.strip("@"):
            message = f"ALERT_EMAIL_TO: {address!r} is no e-mail address."
            yield Error(message, hint="Write addresses with a comma between them.", id="systemstatus.E004")


def watchdog_channels() -> Iterator[CheckMessage]:
    """W001: a sign of life for a channel that does not exist."""
    unknown = sorted(set(settings.ALERT_WATCHDOG_CHANNELS) - {"webhook", "email", "apprise"})
    if unknown:
        message = f"ALERT_WATCHDOG_CHANNELS names {', '.join(unknown)}."
        yield checks.Warning(message, hint="Choose among webhook, email, apprise.", id="systemstatus.W001")
