"""Makes tokens and revokes them. A token is shown when it is made and cannot be read again."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from healthpilot.tokens.models import ApiToken
from healthpilot.web import trail

PREFIX_BYTES = 6
SECRET_BYTES = 32


@dataclass(frozen=True)
class Issued:
    """A token just made, and its text, which is kept nowhere."""

    token: ApiToken
    text: str


def issue(
    *, name: str, scopes: list[str], created_by: str, client: str = "", expires_at: datetime | None = None
) -> Issued:
    """Make a token; raises django.db.IntegrityError where a live one has this name.

    The secret holds 256 random bits: its plain SHA-256 is as safe as a slow hash would make a password.

    Args:
        client: the application, whose tokens share event ids; the name where it is empty.
    """
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        token = ApiToken.objects.create(
            name=name,
            client=client or name,
            prefix=prefix,
            digest=digest_of(secret),
            scopes=sorted(scopes),
            created_by=created_by,
            expires_at=expires_at,
        )
        after = {
            "client": token.client,
            "scopes": token.scopes,
            "expires_at": expires_at.isoformat() if expires_at else None,
        }
        trail.tell(actor=created_by, action="token.issue", target=str(token), after=after)
    return Issued(token, f"hp_{prefix}_{secret}")


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def revoke(prefix: str, *, revoked_by: str) -> bool:
    """Revoke a token for good; returns False where it was revoked before or does not exist."""
    live = ApiToken.objects.filter(prefix=prefix, revoked_at=None)
    with transaction.atomic():
        if not live.update(revoked_at=Now(), updated_at=Now(), revoked_by=revoked_by):
            return False
        token = ApiToken.objects.defer("digest").get(prefix=prefix)
        trail.tell(actor=revoked_by, action="token.revoke", target=str(token))
    return True
