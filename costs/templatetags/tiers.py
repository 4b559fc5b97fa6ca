"""A tier in templates: its mark and its name, the same wherever it appears."""

from decimal import Decimal

from django import template

from costs.bands import label_of, style_of
from healthpilot.web import numbers
from healthpilot.web.templatetags.figures import share_bar as bar

register = template.Library()


@register.inclusion_tag("costs/_tier.html")
def tier(name: str) -> dict[str, str]:
    return {"label": label_of(name), "style": style_of(name)}


@register.inclusion_tag("costs/_tier.html")
def band(label: str, style: str) -> dict[str, str]:
    return {"label": label, "style": style}


@register.simple_tag
def share_of(cost: Decimal, highest: Decimal | None) -> str:
    return bar(numbers.share(cost, highest or Decimal(1)))
