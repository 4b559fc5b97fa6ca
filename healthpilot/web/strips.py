"""Heartbeat strips as inline SVG: a mark a slot of time, whose height as well as colour tells the state."""

from collections import Counter
from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

OK, WARNING, ERROR, UNKNOWN, NO_DATA = "ok", "warn", "error", "unknown", "none"
WORDS = {OK: "OK", WARNING: "warning", ERROR: "error", UNKNOWN: "unknown", NO_DATA: "no data"}
HEIGHT = 22
# Height of a mark by its state: the worse, the taller; what is not known is a short outline.
HEIGHTS = {OK: 10, WARNING: 16, ERROR: 22, UNKNOWN: 7, NO_DATA: 2}
SLOT, MARK = 4, 3


def drawing(states: Sequence[str], *, minutes: int) -> SafeString:
    """Return one mark for each slot of so many minutes, oldest first; its label says what it shows."""
    width = max(1, len(states)) * SLOT - (SLOT - MARK)
    return format_html(
        '<svg class="hb" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>',
        summary(states, minutes=minutes),
        width,
        HEIGHT,
        format_html_join(
            "",
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
            (
                (f"hb-{state}", index * SLOT, (HEIGHT - HEIGHTS[state]) / 2, MARK, HEIGHTS[state])
                for index, state in enumerate(states)
            ),
        ),
    )


def summary(states: Sequence[str], *, minutes: int) -> str:
    """Return how long each state held, the worst first: 'error 20 min, warning 1 h, OK 22 h 40 min'."""
    counted = Counter(states)
    spans = [
        f"{WORDS[state]} {span(counted[state] * minutes)}"
        for state in (ERROR, WARNING, UNKNOWN, OK, NO_DATA)
        if counted[state]
    ]
    return ", ".join(spans) or "no data"


def span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
