"""The list of tokens, the newest first."""

from collections.abc import Sequence

from healthpilot.tokens.models import ApiToken
from healthpilot.web.pages import DEFAULT_LIMIT, Cursor, Page, keyset_page


def newest_tokens(*, cursor: str | None, limit: int = DEFAULT_LIMIT) -> Page[ApiToken]:
    """Return one page of tokens, revoked ones included; raises CursorError."""

    def fetch(start: Cursor | None, most: int) -> Sequence[ApiToken]:
        found = ApiToken.objects.defer("digest").order_by("-id")
        if start is None:
            return list(found[:most])
        place = int(start.key[0])
        if start.backwards:
            return list(found.filter(id__gt=place).order_by("id")[:most])
        return list(found.filter(id__lt=place)[:most])

    return keyset_page(fetch, lambda row: [str(row.pk)], scope="tokens", cursor=cursor, limit=limit)
