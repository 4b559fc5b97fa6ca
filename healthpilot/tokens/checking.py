"""Tells whose a presented token is, in the same time for every wrong one, and limits wrong ones."""

import hmac
from datetime import UTC, datetime, timedelta

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest

from healthpilot.tokens.issuing import digest_of
from healthpilot.tokens.models import ApiToken

WINDOW_S = 60
WRONG_PER_TOKEN = 10
WRONG_PER_ADDRESS = 100
USE_NOTED_EVERY = timedelta(minutes=1)
NOBODY = digest_of("")


class TokenError(Exception):
    """The token presented does not count; the text says why, as far as its bearer may know."""


class TooManyWrongTokensError(TokenError):
    """So many wrong tokens came from this address that no more are looked at for a while."""


def checked(request: HttpRequest, text: str) -> ApiToken:
    """Return the live token with this text, and note that it was used; raises TokenError.

    An unknown beginning and a wrong secret take the same steps and get the same answer. Ten wrong tries with
    one beginning or a hundred with any, from one address within a minute, are the limit: one application with
    an old token does not shut out its neighbours behind the same address.
    """
    prefix, secret = parts(text)
    limits = limit_keys(request, prefix)
    if too_many(limits):
        raise TooManyWrongTokensError("Too many wrong tokens came from this address.")
    token = ApiToken.objects.filter(prefix=prefix).first()
    known = NOBODY if token is None else bytes(token.digest)
    if not hmac.compare_digest(known, digest_of(secret)) or token is None or not secret:
        count_wrong(limits)
        raise TokenError("This token is not known.")
    now = datetime.now(UTC)
    if (state := token.state(now)) != "live":
        count_wrong(limits)
        raise TokenError(f"This token is {state}.")
    note_use(token, now)
    return token


def parts(text: str) -> tuple[str, str]:
    """Return a token's beginning and its secret; empty ones where it has another form."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != "hp" or not prefix.isalnum() or not prefix.isascii() or len(prefix) > 12:
        return "", ""
    return prefix, secret


def note_use(token: ApiToken, now: datetime) -> None:
    """Write when a token was last used, once a minute at the most."""
    if token.last_used_at is None or token.last_used_at <= now - USE_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=Now())


def limit_keys(request: HttpRequest, prefix: str) -> dict[str, int]:
    """Return the counters that a wrong token of this request adds to, each with its limit."""
    try:
        address = get_adapter().get_client_ip(request)
    except PermissionDenied:
        address = "unknown"
    return {
        f"limit:token:{address}:{prefix}": WRONG_PER_TOKEN,
        f"limit:token:{address}": WRONG_PER_ADDRESS,
    }


def too_many(limits: dict[str, int]) -> bool:
    return any(cache.get(key, 0) >= most for key, most in limits.items())


def count_wrong(limits: dict[str, int]) -> None:
    """Count a wrong token; the count ends a minute after its first."""
    for key in limits:
        if not cache.add(key, 1, WINDOW_S):
            try:
                cache.incr(key)
            except ValueError:  # it ended just now
                cache.add(key, 1, WINDOW_S)
