"""Draws from which moment of each day work would have waited: a column a day, filled from then on."""

from collections.abc import Sequence
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

DAY_S: Final = 86_400
SLOT, COLUMN, HEIGHT = 16, 12, 48


def drawing(from_s: Sequence[int | None], *, who: str) -> SafeString:
    """Return the columns of a group, oldest day first; midnight is at the top of each."""
    waits = sum(second is not None for second in from_s)
    return format_html(
        '<svg class="sim" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}"'
        ' preserveAspectRatio="none">{}{}</svg>',
        f"{who}: work waits on {waits} of {len(from_s)} days",
        len(from_s) * SLOT,
        HEIGHT,
        len(from_s) * SLOT,
        HEIGHT,
        columns([(place, 0) for place in range(len(from_s))], "sim-day"),
        columns([(place, second) for place, second in enumerate(from_s) if second is not None], "sim-waits"),
    )


def columns(begins: Sequence[tuple[int, int]], name: str) -> SafeString:
    """Return a rectangle for each place, from a second of the day to its end."""
    tops = [(place, HEIGHT * second / DAY_S) for place, second in begins]
    return format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
        ((name, place * SLOT, f"{top:.1f}", COLUMN, f"{HEIGHT - top:.1f}") for place, top in tops),
    )
