"""Who may have an account: nobody signs up by themselves, an admin makes the accounts."""

from typing import Final

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from healthpilot.web.peers import address_of

UNKNOWN: Final = "unknown"


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """allauth's adapter with sign-up closed, and limits by the address of whoever asks."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request) or UNKNOWN
