"""The colours of the design system, read from the style sheets themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

CSS = Path(settings.BASE_DIR) / "static" / "css"
THEMES = {"dark": "tokens.css", "light": "theme-light.css", "contrast": "theme-contrast.css"}
COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9A-Fa-f]{6});")
GROUPS = (
    ("Planes", ("canvas", "surface", "raised", "hover")),
    ("Lines", ("hairline", "divider", "control")),
    ("Ink", ("text", "muted", "faint", "link")),
    ("Actions", ("solid", "solid-hover", "on-solid", "focus")),
    ("Status", ("ok", "ok-quiet", "warn", "error", "stale")),
    ("Tiers", ("tier-1", "tier-2", "tier-3", "tier-other")),
)
TYPE = ("12", "13", "14", "16", "20", "24", "32")
SPACE = ("4", "8", "12", "16", "24", "32", "48")


@dataclass(frozen=True)
class Colour:
    """A token and its value in each theme."""

    name: str
    dark: str
    light: str
    contrast: str


@cache
def colours() -> dict[str, Colour]:
    """Return every colour token; one that a theme does not set keeps its dark value there."""
    read: dict[str, dict[str, str]] = {
        theme: dict(COLOUR.findall((CSS / name).read_text())) for theme, name in THEMES.items()
    }
    return {
        name: Colour(name, value, read["light"].get(name, value), read["contrast"].get(name, value))
        for name, value in read["dark"].items()
    }


def groups() -> Iterator[tuple[str, list[Colour]]]:
    """Yield the colours by what they are for."""
    known = colours()
    for title, names in GROUPS:
        yield title, [known[name] for name in names]
