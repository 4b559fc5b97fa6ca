"""What is asked of a service only when somebody wants to know now: a read that proves the key."""

from functools import lru_cache
from typing import Final

from django.conf import settings

from systemstatus.registry import CheckState, Reading
from telemetry.outbound import Client, OutboundError

LIMIT_S: Final = 4.0
OPENAI: Final = "https://api.openai.com/v1"
BREVO: Final = "https://api.brevo.com/v3"
NOWPAYMENTS: Final = "https://api.nowpayments.io/v1"
AYRSHARE: Final = "https://api.ayrshare.com/api"
REFUSED: Final = {401, 403}


def openai() -> Reading:
    """Ask OpenAI, or whoever answers for it, which models there are."""
    base = str(settings.OPENAI_BASE_URL or OPENAI).rstrip("/")
    return asked("openai", f"{base}/models", "OPENAI_API_KEY", "Authorization", "Bearer {}")


def brevo() -> Reading:
    """Ask Brevo for the account that the key belongs to."""
    return asked("brevo", f"{BREVO}/account", "BREVO_API_KEY", "api-key", "{}")


def nowpayments() -> Reading:
    """Ask NOWPayments which coins the key's merchant takes."""
    url = f"{NOWPAYMENTS}/merchant/coins"
    return asked("nowpayments", url, "NOWPAYMENTS_API_KEY", "x-api-key", "{}")


def ayrshare() -> Reading:
    """Ask Ayrshare for the profile that the key belongs to."""
    return asked("ayrshare", f"{AYRSHARE}/user", "AYRSHARE_API_KEY", "Authorization", "Bearer {}")


def asked(name: str, url: str, setting: str, header: str, form: str) -> Reading:
    """Return whether a service answers and takes the key."""
    key = str(getattr(settings, setting, ""))
    if not key:
        return Reading(state=CheckState.DISABLED, note=f"{setting} is not set")
    try:
        client(name).request("GET", url, headers={header: form.format(key)})
    except OutboundError as error:
        why = f"It does not take {setting}" if error.status in REFUSED else str(error)
        return Reading(state=CheckState.FAILED, note=why)
    return Reading(note="It answers and takes the key")


@lru_cache(maxsize=8)
def client(name: str) -> Client:
    return Client(name, limit_s=LIMIT_S, tries=1)
