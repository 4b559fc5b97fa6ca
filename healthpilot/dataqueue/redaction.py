"""Keeps secrets out of what is shown: fields by their names, addresses without passwords."""

import re
from typing import Any

HIDDEN = "•••"
SECRET_NAME = re.compile(
    r"secret|token(?!s)|passw|api_?key|authorization|credential|cookie|private", re.IGNORECASE
)
PASSWORD_IN_URL = re.compile(r"(?P<scheme>\w+://)[^/@\s]+@")
LONG_SECRET = re.compile(r"\b(?:sk|pk|rk|ghp|xox\w|whsec|Bearer)[-_ ][A-Za-z0-9_\-.]{8,}")


def redacted(value: Any, secret: tuple[str, ...] = ()) -> Any:
    """Return JSON with what must not be seen replaced; `secret` names further fields."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if name in secret or SECRET_NAME.search(name) else redacted(inner, secret)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(inner, secret) for inner in value]
    return without_secrets(value) if isinstance(value, str) else value


def without_secrets(text: str) -> str:
    """Return a text with passwords in addresses and what looks like a key replaced."""
    return LONG_SECRET.sub(HIDDEN, PASSWORD_IN_URL.sub(rf"\g<scheme>{HIDDEN}@", text))
