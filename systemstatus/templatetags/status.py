"""Template tags of System Status."""

from typing import Any

from django import template
from django.template import Context

from healthpilot.web.roles import role_of
from systemstatus import widget
from systemstatus.registry import Module
from systemstatus.tabs import BY_SLUG, FIRST, TABS

register = template.Library()

# The tabs that show everything of every layer are no answer to where one module is told of.
GENERAL = {FIRST, "budgets", "health", "alerts", "audit"}


@register.simple_tag
def tab_of(module: Module) -> str:
    """Return the address of the tab that tells of a module's layer."""
    own = [tab for tab in TABS if tab.slug not in GENERAL and tab.shows(module)]
    return (own[0] if own else BY_SLUG["health"]).url


@register.inclusion_tag("systemstatus/_widget_for.html", takes_context=True)
def status_widget(context: Context, place: str) -> dict[str, Any]:
    """Show how everything stands to who may see it; what is kept is shown at once, without a query."""
    request = context.get("request")
    may_see = request is not None and role_of(request.user) is not None
    return {"may_see": may_see, "widget": widget.kept() if may_see else None, "place": place}
