"""Django's registration of the API tokens."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    """Tokens, the page and the command that manage them, and the API's check of them."""

    name = "healthpilot.tokens"
    label = "tokens"
