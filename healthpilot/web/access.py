"""Who may see what: pages lead others to sign in or refuse clearly, the API answers 401 or 403.

Every view declares its rule with one decorator, kept on the view as `access_rule`; a test walks all routes.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from ninja.errors import HttpError
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf

from healthpilot.web.answers import wants_fragment
from healthpilot.web.roles import Role, role_of

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]
AnyView = TypeVar("AnyView", bound=Callable[..., Any])
Rule = Role | Literal["everybody"]

NOT_STAFF = "This account is signed in but is not staff."
ASK_FOR_STAFF = "Ask an administrator to mark it as staff, or sign in with an account that is."


class Refused(PermissionDenied):
    """A signed-in account asked for what its role does not allow: `message` says why, `remedy` what to do."""

    code = "role_required"

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.message, self.remedy = message, remedy


class StaffOnly(Refused):
    """A signed-in account without the staff flag asked for a staff page."""

    code = "staff_required"

    def __init__(self) -> None:
        super().__init__(NOT_STAFF, ASK_FOR_STAFF)


class RoleTooLow(Refused):
    """A staff account asked for what a higher role may do."""

    def __init__(self, needed: Role, had: Role) -> None:
        super().__init__(
            f"This needs the role {needed.group}; the account has the role {had.group}.",
            f"Ask an administrator to add it to the group {needed.group}.",
        )


class CsrfMissingError(HttpError):
    """A request that changes something came by a session and without its CSRF token."""

    def __init__(self) -> None:
        super().__init__(403, "This request changes something and carries no valid CSRF token.")


def role_required(role: Role) -> Callable[[View[Params]], View[Params]]:
    """Let accounts of this role or a higher one through; send the anonymous to sign in and back.

    The rest get a 403 page that says which role is needed.
    """

    def guard(view: View[Params]) -> View[Params]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            require_role(request, role)
            return view(request, *args, **kwargs)

        return cast("View[Params]", declared(guarded, role))

    return guard


staff_required = role_required(Role.VIEWER)


def open_to_all(view: AnyView) -> AnyView:
    """Declare that a view is meant for everybody."""
    return declared(view, "everybody")


def declared(view: AnyView, rule: Rule) -> AnyView:
    """Keep a view's rule on it, for whoever asks which there is."""
    cast(Any, view).access_rule = rule
    return view


def require_role(request: HttpRequest, role: Role) -> None:
    """Raise StaffOnly or RoleTooLow unless the signed-in account has this role or a higher one."""
    had = role_of(request.user)
    if had is None:
        raise StaffOnly
    if had < role:
        raise RoleTooLow(role, had)


def has_role(request: HttpRequest, role: Role) -> bool:
    return (role_of(request.user) or 0) >= role


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the browser to sign in and back; for HTMX by a header, or the form would be swapped in."""
    answer = redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    if not wants_fragment(request):
        return answer
    return HttpResponse(headers={"HX-Redirect": answer.url})


class StaffSession(APIKeyCookie):
    """The API's check of a signed-in person: the session cookie, the role, and the CSRF token where due."""

    param_name = settings.SESSION_COOKIE_NAME
    description = "The session of a signed-in account; unsafe methods need the X-CSRFToken header as well."

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.role = role

    def __call__(self, request: HttpRequest) -> Any:
        """Return the account, None where nobody is signed in; raises Refused or CsrfMissingError."""
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise CsrfMissingError
        require_role(request, self.role)
        return request.user

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Answer ninja's base class, which wants one; the cookie itself says nothing here."""
        raise NotImplementedError
