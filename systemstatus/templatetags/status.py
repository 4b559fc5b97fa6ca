"""Template tags of System Status."""

from django import template

from systemstatus.registry import Module
from systemstatus.tabs import BY_SLUG, FIRST, TABS

register = template.Library()

# The tabs that show everything of every layer are no answer to where one module is told of.
GENERAL = {FIRST, "budgets", "health", "alerts", "audit"}


@register.simple_tag
def tab_of(module: Module) -> str:
    """Return the address of the tab that tells of a module's layer."""
    own = [tab for tab in TABS if module.layer in tab.layers and tab.slug not in GENERAL]
    return (own[0] if own else BY_SLUG["health"]).url
