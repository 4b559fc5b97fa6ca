"""The rule on URL patterns: none catches whatever comes (E060)."""

import re
from collections.abc import Iterable

from django.urls import URLPattern, URLResolver, get_resolver

from governance.findings import Finding
from governance.places import place_of

OPEN_END = re.compile(r"<path:\w+>/?$|\.[*+]\)?/?(?:\$|\\Z)?$")
# What nobody would name a page, in two and three parts, with and without a slash at the end.
PROBES = ("zq7x/y9k4", "zq7x/y9k4/", "zq7x/y9k4/w3.v8", "zq7x/y9k4/w3v8/")


def check(patterns: Iterable[URLPattern | URLResolver] | None = None) -> list[Finding]:
    """Return a finding for each pattern that takes every probe, whatever stands before it.

    Args:
        patterns: by default those of the project.
    """
    found = []
    for route, pattern in leaves(get_resolver().url_patterns if patterns is None else patterns):
        if is_catch_all(pattern):
            path, line = place_of(pattern.callback)
            hint = "name the addresses one by one, and let the rest be a 404"
            found.append(
                Finding(
                    "E060", path or "healthpilot/urls.py", line, f"'/{route}' catches whatever comes.", hint
                )
            )
    return found


def leaves(patterns: Iterable[URLPattern | URLResolver], route: str = "") -> Iterable[tuple[str, URLPattern]]:
    """Yield every pattern with the address it stands for, but for the object pages of Django's own admin."""
    for pattern in patterns:
        here = f"{route}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from leaves(pattern.url_patterns, here)
        elif not str(pattern.pattern).endswith("<path:object_id>/"):
            yield here, pattern


def is_catch_all(pattern: URLPattern) -> bool:
    """Say whether a pattern takes whatever stands behind what it names itself."""
    open_ended = OPEN_END.search(str(pattern.pattern))
    return bool(open_ended) or any(pattern.pattern.match(probe) for probe in PROBES)
