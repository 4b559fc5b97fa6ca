"""The month's estimate as a small picture: spent, then a fan as wide as the band."""

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from costs.month import Month
from healthpilot.web.sparklines import HEIGHT, PAD, path

register = template.Library()

Point = tuple[Decimal, Decimal]


@register.simple_tag
def fan(month: Month) -> SafeString:
    """Return an SVG of the running total with the band from today to the month's end; attributes only."""
    ahead = month.projection
    if ahead is None:
        return SafeString("")
    start = [Decimal(0), *month.done]
    top = ahead.most or Decimal(1)
    step = Decimal(100) / len(month.days)
    done = placed(start, top, step, 0)
    low, middle, high = (
        placed([start[-1], *line], top, step, len(start) - 1)
        for line in (ahead.low, ahead.middle, ahead.high)
    )
    return format_html(
        '<svg class="spark" aria-hidden="true" focusable="false">'
        '<svg viewBox="0 0 100 36" preserveAspectRatio="none" width="100%" height="100%" overflow="visible">'
        '<path class="band" d="{}Z"/><path class="ln" d="{}"/><path class="so" d="{}"/></svg></svg>',
        path([*high, *reversed(low)]),
        path(done),
        path(middle),
    )


def placed(totals: list[Decimal], top: Decimal, step: Decimal, first: int) -> list[Point]:
    """Return where running totals lie in a box of 100 by 36, from so many days on."""
    room = HEIGHT - 2 * PAD
    return [((first + index) * step, HEIGHT - PAD - room * total / top) for index, total in enumerate(totals)]
