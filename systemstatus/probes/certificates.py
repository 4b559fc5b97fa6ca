"""What is asked of TLS: for how many days the certificates of this product's own addresses are valid."""

import socket
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from systemstatus.registry import CheckState, Reading

LIMIT_S: Final = 3.0
MOST: Final = 10


def hosts() -> list[str]:
    """Return the hosts to look at, as host or host:port: those that are named, and this product's address."""
    own = urlsplit(settings.HEALTHPILOT_URL)
    named = list(settings.STATUS_TLS_HOSTS)
    if own.scheme == "https" and own.hostname:
        named.append(own.netloc.rpartition("@")[2])
    return sorted(set(named))[:MOST]


def days_left() -> Reading:
    """Return the days until each certificate ends; fails where one cannot be read or is not trusted."""
    named = hosts()
    if not named:
        return Reading(state=CheckState.DISABLED, note="STATUS_TLS_HOSTS is not set")
    left: dict[str, float] = {}
    faults = []
    for host in named:
        try:
            left[host] = days_of(host)
        except (OSError, ValueError) as error:
            faults.append(f"{host}: {error}")
    state = CheckState.FAILED if faults else CheckState.OK
    return Reading({"tls.days": left} if left else {}, {"certificates": left}, state, "; ".join(faults))


def days_of(host: str) -> float:
    """Return the days until a host's certificate ends.

    Raises:
        OSError: nobody answers, or the certificate is not trusted or over; the text says which.
    """
    name, _, port = host.partition(":")
    context = ssl.create_default_context()
    with (
        socket.create_connection((name, int(port or 443)), timeout=LIMIT_S) as link,
        context.wrap_socket(link, server_hostname=name) as secure,
    ):
        ends = ssl.cert_time_to_seconds(str((secure.getpeercert() or {})["notAfter"]))
    return round((ends - time.time()) / 86_400, 2)
