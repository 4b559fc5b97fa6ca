"""Pieces of the design system that are drawn rather than written: strips, meters, ages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from healthpilot.web import numbers, strips
from healthpilot.web.templatetags.figures import relative

register = template.Library()

STATUSES = {
    "ok": ("OK", "s-ok"),
    "warn": ("Warning", "s-warn"),
    "error": ("Error", "s-error"),
    "stale": ("Stale", "s-stale"),
    "unknown": ("Unknown", "s-unknown"),
    "info": ("Note", "s-info"),
}


@register.inclusion_tag("components/_badge.html")
def badge(status: str, word: str = "", *, boxed: bool = False) -> dict[str, object]:
    """Show a status by shape, colour and word; another word where the usual one says less."""
    usual, icon = STATUSES.get(status, STATUSES["unknown"])
    return {"status": status, "word": word or usual, "icon": icon, "boxed": boxed}


@register.inclusion_tag("components/_time.html")
def when(moment: datetime | None, now: datetime | None = None) -> dict[str, object]:
    """Show how long ago a moment was; the exact UTC time stands beside it on hover and on focus."""
    if moment is None:
        return {"moment": None, "none": numbers.NO_FIGURE}
    exact = moment.astimezone(UTC)
    return {
        "moment": exact,
        "iso": exact.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "exact": f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        "relative": relative((now or timezone.now()) - moment),
    }


@register.simple_tag
def heartbeat(states: Sequence[str], minutes: int = 20) -> SafeString:
    """Return a strip of marks, one for each slot of so many minutes, oldest first."""
    return strips.drawing(states, minutes=minutes)


@register.simple_tag
def meter(value: Decimal | int, *, status: str = "", limit: Decimal | int | None = None) -> SafeString:
    """Return a bar of a share in percent, a tick at its limit; the figure is written beside it."""
    return format_html(
        '<svg class="meter" aria-hidden="true" focusable="false">'
        '<rect class="tr" width="100%" height="8" rx="4"/>'
        '<rect class="fl {}" width="{}%" height="8" rx="4"/>{}</svg>',
        status,
        clamped(value),
        "" if limit is None else tick(clamped(limit)),
    )


def tick(place: Decimal) -> SafeString:
    return format_html('<line class="tick" x1="{0}%" x2="{0}%" y1="-2" y2="10"/>', place)


def clamped(value: Decimal | int) -> Decimal:
    return numbers.rounded(max(Decimal(0), min(Decimal(100), Decimal(value))), 1)


@register.simple_tag
def status_word(status: str) -> str:
    return STATUSES.get(status, STATUSES["unknown"])[0]


@register.inclusion_tag("components/_status_mark.html")
def status_mark(status: str) -> dict[str, str]:
    """Show a status by its shape alone, its word for those who do not see it."""
    word, icon = STATUSES.get(status, STATUSES["unknown"])
    return {"status": status, "word": word, "icon": icon}
