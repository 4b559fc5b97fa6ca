"""Makes texts fit the columns of an event: cut where too long, and ending in a digest of the whole."""

import hashlib
from typing import Final

MARK: Final = "~"
DIGEST_LENGTH: Final = 4


def fitted(text: str, most: int) -> str:
    """Return a text that has at most so many characters: itself, or its beginning and a digest."""
    clean = printable(text)
    return clean if len(clean) <= most else with_digest(clean, clean, most)


def with_digest(short: str, whole: str, most: int) -> str:
    digest = hashlib.sha256(whole.encode(errors="replace")).hexdigest()[:DIGEST_LENGTH]
    return f"{short[: most - len(MARK) - DIGEST_LENGTH]}{MARK}{digest}"


def printable(text: str) -> str:
    """Return a text without what cannot be shown; a plain one, such as a task's id, costs next to nothing."""
    if text.isprintable():
        return text.strip()
    return "".join(character for character in text if character.isprintable()).strip()
