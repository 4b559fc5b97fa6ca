"""A tier in templates: its mark and its name, the same wherever it appears."""

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from costs.bands import OTHER, label_of, style_of
from healthpilot.web import numbers
from healthpilot.web.templatetags.figures import share_bar as bar

register = template.Library()

MARKS = {
    "1": mark_safe('<circle class="m1" cx="5" cy="5" r="4.5"/>'),
    "2": mark_safe('<rect class="m2" x=".75" y=".75" width="8.5" height="8.5"/>'),
    "3": mark_safe('<path class="m3" d="m5 0 5 5-5 5-5-5 5-5Z"/>'),
    OTHER: mark_safe('<circle class="m0" cx="5" cy="5" r="4"/>'),
}
MARKED = (
    '<span class="tier"><svg viewBox="0 0 10 10" aria-hidden="true">{}</svg>'
    '<bdi class="plain">{}</bdi></span>'
)


@register.simple_tag
def tier(name: str) -> SafeString:
    return band(label_of(name), style_of(name))


@register.simple_tag
def band(label: str, style: str) -> SafeString:
    return format_html(MARKED, MARKS[style], label)


@register.simple_tag
def share_of(cost: Decimal, highest: Decimal | None) -> str:
    return bar(numbers.share(cost, highest or Decimal(1)))
