"""The API's check of a bearer token, which goes before any session."""

from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer

from healthpilot.tokens.checking import checked
from healthpilot.tokens.models import ApiToken
from healthpilot.web.access import StaffSession
from healthpilot.web.roles import Role


class ScopeMissingError(Exception):
    """A live token asked for what none of its scopes allows."""

    def __init__(self, scope: str, token: ApiToken) -> None:
        has = ", ".join(token.scopes) or "none"
        super().__init__(f"This needs a token with the scope {scope}; this one has {has}.")


class BearerToken(HttpBearer):
    """A token in the Authorization header with the scope that a route asks for; '' takes any live token."""

    description = "Authorization: Bearer hp_… with the scope the route names; made at /admin/tokens."

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the token; raises TokenError, or ScopeMissingError for one that may not do this."""
        found = checked(request, token.strip())
        if self.scope and self.scope not in found.scopes:
            raise ScopeMissingError(self.scope, found)
        return found


class TokenMissingError(Exception):
    """A route for tokens alone was asked without one."""


class TokenOnly(BearerToken):
    """As BearerToken, where no session will do."""

    def __call__(self, request: HttpRequest) -> Any:
        """Return the token; raises TokenMissingError where none came."""
        found = super().__call__(request)
        if not found:
            raise TokenMissingError(f"This address needs a token with the scope {self.scope}.")
        return found


def token_or_role(scope: str, role: Role) -> list[Any]:
    """Return the checks of a route: a token with the scope, or the session of an account with the role.

    A request that brings a token is judged by it alone, whatever cookies come along.
    """
    return [BearerToken(scope), StaffSession(role)]
