"""Whom a request comes from: its sender's address, also behind the proxies that the settings trust."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Return the address that limits count by; empty where there is none, as on a socket.

    Each trusted proxy adds whom it heard to the end of X-Forwarded-For; what stands before those anybody can
    write. A request that names fewer came past them, and has its own address.
    """
    named = request.headers.get("X-Forwarded-For", "").split(",")
    proxies: int = settings.TRUSTED_PROXIES
    told = named[-proxies] if 0 < proxies <= len(named) else ""
    return plain(told) or str(request.META.get("REMOTE_ADDR") or "")


def plain(told: str) -> str:
    """Return an address without the port that some proxies add; empty for what is none."""
    text = told.strip()
    bare = text.rpartition(":")[0] if text.count(":") == 1 else text
    if text.startswith("["):
        bare = text[1:].partition("]")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return ""
