"""The ways out that the settings name."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connections

LIMIT_S: Final = 20.0


class DeliveryError(Exception):
    """A message did not go out; the text says why and may be shown."""


@dataclass(frozen=True)
class Message:
    """One message as it goes out: its id for good, and its content."""

    id: str
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Channel:
    """One way out. deliver: sends a message and returns what came back in words, or raises."""

    name: str
    title: str
    deliver: Callable[[Message], str]


def configured() -> dict[str, Channel]:
    """Return the channels by name, in the order in which pages list them."""
    from systemstatus.notify import chat, mail, webhook

    found = []
    if settings.ALERT_WEBHOOK_URL:
        found.append(Channel("webhook", "Webhook", webhook.deliver))
    if settings.ALERT_EMAIL_TO:
        found.append(Channel("email", "E-mail", mail.deliver))
    if settings.ALERT_APPRISE_URLS:
        found.append(Channel("apprise", "Apprise", chat.deliver))
    return {channel.name: channel for channel in found}


def deliver(channel: Channel, message: Message, *, limit_s: float = LIMIT_S) -> str:
    """Send in a thread of its own and wait no longer than the limit, so that nothing blocks the worker.

    Raises:
        DeliveryError: it did not go out, or nobody knows whether it did.
    """
    said: list[str] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            said.append(channel.deliver(message))
        except BaseException as error:  # whatever a channel's library raises is a failed delivery
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name=f"notify-{channel.name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise DeliveryError(f"{channel.title} gave no answer within {limit_s:g} s")
    if failed:
        raise DeliveryError(told(failed[0])) from failed[0]
    return said[0]


def told(error: BaseException) -> str:
    """Return an error in words that may be shown."""
    from telemetry.outbound.client import redacted

    return redacted(" ".join(str(error).split()) or type(error).__name__)[:500]
