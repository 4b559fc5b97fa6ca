"""The page of API tokens: the list, a new one, shown once, and the end of one."""

from datetime import UTC, datetime

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from healthpilot.tokens import issuing, queries
from healthpilot.tokens.forms import TokenForm
from healthpilot.tokens.issuing import Issued
from healthpilot.tokens.models import ApiToken
from healthpilot.tokens.scopes import SCOPES
from healthpilot.web.access import role_required
from healthpilot.web.pages import CursorError
from healthpilot.web.roles import Role


@role_required(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens; a POST makes one and shows it on the same answer, the only one that holds it."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    issued = issued_from(form, request) if form.is_bound and form.is_valid() else None
    if issued:
        form = TokenForm()
    now = datetime.now(UTC)
    try:
        page = queries.newest_tokens(cursor=request.GET.get("cursor"))
    except CursorError:
        page = queries.newest_tokens(cursor=None)
    rows = [(token, token.state(now)) for token in page.rows]
    context = {"form": form, "issued": issued, "page": page, "rows": rows, "now": now, "scopes": SCOPES}
    return render(request, "tokens/list.html", context, status=422 if form.errors else 200)


@sensitive_variables("issued")
def issued_from(form: TokenForm, request: HttpRequest) -> Issued | None:
    """Return the token that a valid form asks for, None where its name was taken a moment ago."""
    asked = form.cleaned_data
    try:
        with transaction.atomic():
            return issuing.issue(
                name=asked["name"],
                client=asked["client"],
                scopes=asked["scopes"],
                created_by=request.user.get_username(),
                expires_at=form.expires_at(),
            )
    except IntegrityError:
        form.add_error("name", "A token of this name was made a moment ago.")
        return None


@role_required(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    """Ask before a token is revoked for good, then do it."""
    token = get_object_or_404(ApiToken.objects.defer("digest"), prefix=prefix)
    if request.method != "POST":
        return render(
            request, "tokens/revoke.html", {"token": token, "state": token.state(datetime.now(UTC))}
        )
    if issuing.revoke(prefix, revoked_by=request.user.get_username()):
        messages.success(request, f"The token {token.name} is revoked: its next request is refused.")
    return redirect("tokens:list")
