"""What is asked of registries: for how many days the names of this product are still registered, by RDAP."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from django.conf import settings

from systemstatus.registry import CheckState, Reading
from telemetry.outbound import Client, OutboundError

# IANA's list of who answers for which top-level domain.
LIST: Final = "https://data.iana.org/rdap/dns.json"
LIMIT_S: Final = 2.0
MOST: Final = 10
NAME: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")


class DomainError(Exception):
    """A registry does not tell until when a name is registered; the text says why."""


def days_left() -> Reading:
    """Return the days until each name's registration ends; fails where a registry does not tell."""
    if not settings.STATUS_DOMAINS:
        return Reading(state=CheckState.DISABLED, note="STATUS_DOMAINS is not set")
    left: dict[str, float] = {}
    faults = []
    for name in settings.STATUS_DOMAINS[:MOST]:
        try:
            left[name] = days_of(name.lower())
        except (OutboundError, DomainError, ValueError) as error:
            faults.append(f"{name}: {error}")
    state = CheckState.FAILED if faults else CheckState.OK
    return Reading({"tls.days": left} if left else {}, {"domains": left}, state, "; ".join(faults))


def days_of(name: str) -> float:
    """Return the days until a name's registration ends; raises DomainError, OutboundError or ValueError."""
    if not NAME.fullmatch(name):
        raise DomainError("it is no domain name")
    told = client().request("GET", f"{server_of(name.rpartition('.')[2])}domain/{name}").json()
    ends = [one.get("eventDate") for one in told.get("events", []) if one.get("eventAction") == "expiration"]
    if not ends:
        raise DomainError("the registry names no end")
    left = datetime.fromisoformat(str(ends[0])).astimezone(UTC) - datetime.now(UTC)
    return round(left.total_seconds() / 86_400, 2)


def server_of(ending: str) -> str:
    """Return the address of who answers for a top-level domain; raises DomainError where nobody does."""
    for endings, addresses in servers():
        if ending in endings and addresses:
            return str(addresses[0]).rstrip("/") + "/"
    raise DomainError(f"nobody answers for .{ending} by RDAP")


@lru_cache(maxsize=1)
def servers() -> list[Any]:
    services: list[Any] = client().request("GET", LIST).json()["services"]
    return services


@lru_cache(maxsize=1)
def client() -> Client:
    return Client(
        "rdap", limit_s=LIMIT_S, tries=1, headers={"Accept": "application/rdap+json, application/json"}
    )
