"""Who may see what: staff pages lead others to sign in or refuse clearly, staff APIs answer 401 or 403."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from ninja.security import APIKeyCookie

from healthpilot.web.answers import wants_fragment

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]

NOT_STAFF = "This account is signed in but is not staff."
ASK_FOR_STAFF = "Ask an administrator to mark it as staff, or sign in with an account that is."


class StaffOnly(PermissionDenied):
    """A signed-in account without the staff flag asked for a staff page."""

    def __init__(self) -> None:
        super().__init__(f"{NOT_STAFF} {ASK_FOR_STAFF}")


def staff_required(view: View[Params]) -> View[Params]:
    """Let staff through; send the anonymous to sign in and back, refuse the rest with a 403 page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        if is_staff(request):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise StaffOnly
        return to_sign_in(request)

    return cast("View[Params]", guarded)


def is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the browser to sign in and back; for HTMX by a header, or the form would be swapped in."""
    answer = redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    if not wants_fragment(request):
        return answer
    return HttpResponse(headers={"HX-Redirect": answer.url})


class StaffSession(APIKeyCookie):
    """The API's check: the session cookie of a signed-in staff account."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        if is_staff(request):
            return request.user
        if request.user.is_authenticated:
            raise StaffOnly
        return None
