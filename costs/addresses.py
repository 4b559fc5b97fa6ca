"""Recorded names in addresses: plain ones as they are, all others so that nothing on the way rewrites them.

A name may hold anything: a slash would split the path, '..' is resolved by the browser, '%' is decoded once
too often by some proxy, and the empty name would vanish. So whatever is not plain travels as '~' and the
base64url of its UTF-8.
"""

import base64
import binascii
import re

from django.urls import register_converter

MARK = "~"
PLAIN = r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*"
LONGEST = 40


class RecordedName:
    """The path converter of recorded names, <recorded:name>; every name has exactly one address."""

    regex = rf"{PLAIN}|{MARK}[A-Za-z0-9_-]*"

    def to_python(self, value: str) -> str:
        """Return the name; raises ValueError, which answers 404, for a second spelling or no name at all."""
        name = decoded(value[1:]) if value.startswith(MARK) else value
        if len(name) > LONGEST or "\x00" in name or self.to_url(name) != value:
            raise ValueError(f"{value!r} is not how an address spells a name")
        return name

    def to_url(self, value: str) -> str:
        return value if re.fullmatch(PLAIN, value) else MARK + encoded(value)


def encoded(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def decoded(text: str) -> str:
    """Return the name behind base64url without padding; raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{text!r} is not base64url of UTF-8") from error


register_converter(RecordedName, "recorded")
