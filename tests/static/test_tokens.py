"""Contrast of every pair that is used, computed from the CSS itself (WCAG 2.2, relative luminance)."""

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "css"
TEXT, MARK = 4.5, 3.0
PLANES = ("canvas", "surface", "raised", "hover")
INKS = ("text", "muted", "faint", "link")
STATES = ("ok", "warn", "error", "stale")
TIERS = ("tier-1", "tier-2", "tier-3", "tier-other")


def tokens(theme: str) -> dict[str, str]:
    """Return the colours of a theme: those of the root, overlaid by its own."""
    return own_colours("tokens.css") | (own_colours(f"theme-{theme}.css") if theme != "dark" else {})


def own_colours(name: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9A-Fa-f]{6});", (CSS / name).read_text()))


def luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *[(ink, plane, TEXT) for ink in INKS for plane in PLANES],
    *[(state, plane, TEXT) for state in STATES for plane in ("surface", f"{state}-wash")],
    *[(ink, f"{state}-wash", TEXT) for ink in ("text", "muted") for state in (*STATES, "info")],
    ("on-solid", "solid", TEXT),
    ("on-solid", "solid-hover", TEXT),
    ("solid", "surface", MARK),
    ("ok-quiet", "surface", MARK),
    *[("link", plane, TEXT) for plane in ("info-wash", "raised")],
    *[("control", plane, MARK) for plane in ("canvas", "surface", "raised")],
    *[("focus", plane, MARK) for plane in PLANES],
    *[(tier, "surface", MARK) for tier in TIERS],
    *[(tier, f"{tier}-fill", 1.5) for tier in TIERS],
]


@pytest.mark.parametrize("theme", ["dark", "light", "contrast"])
@pytest.mark.parametrize(("ink", "plane", "least"), PAIRS)
def test_a_pair_that_is_used_can_be_read(theme: str, ink: str, plane: str, least: float) -> None:
    colours = tokens(theme)
    assert contrast(colours[ink], colours[plane]) >= least


@pytest.mark.parametrize("theme", ["light", "contrast"])
def test_every_theme_defines_the_same_colours(theme: str) -> None:
    assert set(own_colours(f"theme-{theme}.css")) == set(own_colours("tokens.css"))


@pytest.mark.parametrize("ink", [*INKS, *STATES])
@pytest.mark.parametrize("plane", PLANES)
def test_high_contrast_text_is_at_seven_to_one(ink: str, plane: str) -> None:
    colours = tokens("contrast")
    assert contrast(colours[ink], colours[plane]) >= 7


def test_high_contrast_lines_can_all_be_seen() -> None:
    colours = tokens("contrast")
    assert all(
        contrast(colours[line], colours["surface"]) >= 7 for line in ("hairline", "divider", "control")
    )


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_every_token_that_a_style_uses_exists() -> None:
    defined, used = set(), set()
    for path in CSS.glob("*.css"):
        source = path.read_text()
        defined |= set(re.findall(r"(--[\w-]+):", source))
        used |= set(re.findall(r"var\((--[\w-]+)", source))
    assert used <= defined


def test_colours_stand_in_the_tokens_and_nowhere_else() -> None:
    allowed = {"#FFF"}
    for path in CSS.glob("*.css"):
        if path.name != "tokens.css" and not path.name.startswith("theme-"):
            assert set(re.findall(r"#[0-9A-Fa-f]{3,8}\b", path.read_text())) <= allowed, path.name
