"""Keeps requests to addresses that people typed away from what only this machine can reach.

Every address that a name resolves to is checked, and the connection goes to the one that was checked: a name
that resolves to something else a moment later (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

# is_global says yes to these, but each leads to an IPv4 address that is not seen in it.
TUNNELS: Final = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddressError(Exception):
    """An address that must not be asked; the message says why and what would allow it."""


def check_url(url: str, *, allows_private: bool = False) -> None:
    """Raise ForbiddenAddressError unless a URL is http(s), names a host and no password; resolves nothing."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenAddressError(f"This is no address: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ForbiddenAddressError("Write an address that begins with https:// or http:// and names a host.")
    if parts.username or parts.password:
        raise ForbiddenAddressError("Leave name and password out of the address.")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return
    if not allows_private and (why := refusal(literal)):
        raise ForbiddenAddressError(told(host, str(literal), why))


def resolve(host: str, port: int, *, allows_private: bool = False) -> list[str]:
    """Return a name's addresses; raises ForbiddenAddressError when any of them must not be asked.

    Raises:
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found]
    for address in addresses:
        why = "" if allows_private else refusal(ipaddress.ip_address(address))
        if why:
            raise ForbiddenAddressError(told(host, address, why))
    return list(dict.fromkeys(addresses))


def told(host: str, address: str, why: str) -> str:
    """Return the refusal in words."""
    where = host if host == address else f"{host} ({address})"
    return f"{where} is {why}; ALERT_ALLOW_PRIVATE=1 allows addresses of your own network."


def refusal(address: Address) -> str:
    """Return why an address must not be asked, empty where it may; forms that carry IPv4 are looked into."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return refusal(address.ipv4_mapped)
        if address.is_site_local or any(address in network for network in TUNNELS):
            return "a site-local or tunnel address"
    kinds = {
        "this machine": address.is_loopback or address.is_unspecified,
        "a link-local address": address.is_link_local,
        "a multicast address": address.is_multicast,
        "a private or reserved address": not address.is_global or address.is_reserved,
    }
    return next((kind for kind, is_so in kinds.items() if is_so), "")
