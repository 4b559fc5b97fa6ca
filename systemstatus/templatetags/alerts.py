"""Alerts in templates: a severity as a badge, how long something lasted."""

from datetime import datetime

from django import template

from healthpilot.web import numbers
from healthpilot.web.templatetags.components import badge
from systemstatus.models import Severity
from systemstatus.tabs.alerts import BY_SEVERITY, SEVERITY_WORDS

register = template.Library()


@register.inclusion_tag("components/_badge.html")
def severity_badge(severity: str) -> dict[str, object]:
    """Show how bad an alert was by shape, colour and word."""
    return badge(BY_SEVERITY[Severity(severity)], SEVERITY_WORDS[Severity(severity)])


@register.simple_tag
def lasted(since: datetime, until: datetime | None) -> str:
    """Return a span of time in words."""
    if until is None:
        return numbers.NO_FIGURE
    return numbers.duration(max(0, round((until - since).total_seconds() * 1000)))
