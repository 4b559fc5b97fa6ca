"""Chats and pagers by apprise, of the schemes that the settings allow."""

import time
from collections.abc import Iterator, Sequence

from django.conf import settings

from systemstatus.notify import words
from systemstatus.notify.channels import DeliveryError, Message
from telemetry import outbound


def deliver(message: Message) -> str:
    """Send to every address; raises DeliveryError where one is not allowed or private, or not all took it."""
    import apprise  # slow to import, and needed by few processes

    refused = list(faults(settings.ALERT_APPRISE_URLS))
    if refused:
        raise DeliveryError(refused[0])
    sender = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, app_id="HealthPilot"))
    for url in settings.ALERT_APPRISE_URLS:
        sender.add(url)
    began = time.monotonic()
    title, body = words.subject(message.body), f"{words.text(message.body)}\n{message.id}"
    with outbound.guarding(allows_private=settings.ALERT_ALLOW_PRIVATE) as refused_hosts:
        is_sent = sender.notify(title=title, body=body)
    outbound.observe("apprise", "2xx" if is_sent else "failed", (time.monotonic() - began) * 1000)
    if refused_hosts:
        raise DeliveryError(refused_hosts[0])
    if not is_sent:
        raise DeliveryError(f"at least one of {len(sender)} chat addresses did not take the message")
    return f"taken by {len(sender)} of {len(sender)}"


def faults(urls: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with each address, without its secrets."""
    for place, url in enumerate(urls, start=1):
        scheme = url.partition("://")[0].lower()
        if scheme not in settings.ALERT_APPRISE_SCHEMES:
            yield f"ALERT_APPRISE_URLS, number {place}: {scheme[:20]!r} is not in ALERT_APPRISE_SCHEMES"
        elif not is_understood(url):
            yield f"ALERT_APPRISE_URLS, number {place}: apprise does not understand this {scheme} address"


def is_understood(url: str) -> bool:
    """Say whether apprise knows what to do with an address."""
    import apprise  # see above

    return apprise.Apprise.instantiate(url) is not None
