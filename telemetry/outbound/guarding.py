"""Guards libraries that bring clients of their own: every name they look up is checked as a webhook's is."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from telemetry.outbound.guard import ForbiddenAddressError, refusal, told

# What was refused in the guarded block that runs here; None where nothing is guarded.
_refused: ContextVar[list[str] | None] = ContextVar("refused", default=None)
look_up: Final = socket.getaddrinfo


def checked(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    """Return the addresses of a name, in a guarded block only if all of them may be asked.

    Clients connect to what this returns, so a name that resolves to something else later gains nothing.
    """
    found = look_up(host, port, *arguments, **options)
    refused = _refused.get()
    for *_, place in found if refused is not None else ():
        address = str(place[0]).partition("%")[0]
        if why := refusal(ipaddress.ip_address(address)):
            assert refused is not None
            refused.append(told(str(host), address, why))
            raise ForbiddenAddressError(refused[-1])
    return found


# Inert outside of guarded blocks. requests, smtplib and all others come here by way of the module socket.
socket.getaddrinfo = checked


@contextmanager
def guarding(*, allows_private: bool) -> Iterator[list[str]]:
    """Refuse private addresses to what this thread connects to meanwhile; gives what was refused, in words.

    Many libraries swallow the ForbiddenAddressError, so ask the list afterwards.
    """
    refused: list[str] = []
    token = _refused.set(None if allows_private else refused)
    try:
        yield refused
    finally:
        _refused.reset(token)
