"""Addresses in templates: the question that the page answers, with something changed; the pages of names."""

from datetime import date
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from costs import subjects

register = template.Library()


@register.simple_tag(takes_context=True)
def address(context: Context, **changes: Any) -> str:
    """Return the query string of the page with some parameters changed; None removes one."""
    said = {name: None if value is None else str(value) for name, value in changes.items()}
    return f"?{context['asked'].query(**said)}"


@register.simple_tag(takes_context=True)
def on_day(context: Context, day: date) -> str:
    """Return the query string that shows one day alone."""
    return f"?{context['asked'].on_day(day)}"


@register.simple_tag(takes_context=True)
def subject(context: Context, kind: str, name: str, css_class: str = "plain") -> SafeString:
    """Return a recorded name as plain text that leads to its page, within the range that is shown."""
    shown = format_html('<bdi class="{}">{}</bdi>', css_class, subjects.label(kind, name))
    url = subjects.link(kind, name, context["range"].query)
    return format_html('<a class="to" href="{}" data-prefetch>{}</a>', url, shown) if url else shown


@register.inclusion_tag("costs/_views.html", takes_context=True)
def views(context: Context, parameter: str, what: str) -> dict[str, Any]:
    """Return the links Chart, Table and Both of one card; its choice stands in the address."""
    asked = context["asked"]
    return {
        "what": what,
        "links": [
            {
                "id": f"{parameter.replace('_', '-')}-{view}",
                "label": view.capitalize(),
                "query": asked.query(**{parameter: view}),
                "current": asked.views[parameter] == view,
            }
            for view in ("chart", "table", "both")
        ],
    }
