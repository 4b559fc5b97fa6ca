"""The frame of every page: its theme and the navigation, which lists only what exists."""

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse

from healthpilot.web import VERSION

register = template.Library()

THEMES = ("dark", "light")


@dataclass(frozen=True)
class Link:
    """One line of the navigation: where it leads, its words, its icon, and who may see it."""

    url_name: str
    label: str
    icon: str
    superuser: bool = False


SECTIONS = (
    ("Monitor", (Link("costs:dashboard", "Cost", "cost"),)),
    (
        "Account",
        (
            Link("mfa_index", "Two-factor sign-in", "shield"),
            Link("account_change_password", "Password", "key"),
            Link("admin:index", "Data tables", "table", superuser=True),
        ),
    ),
)


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Return the theme that the cookie names, dark unless it says light."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme") if request else None
    return chosen if chosen in THEMES else THEMES[0]


@register.inclusion_tag("components/_navigation.html", takes_context=True)
def navigation(context: Context, label: str) -> dict[str, object]:
    """Return the links that this person may follow, the current one marked."""
    request: HttpRequest = context["request"]
    sections = [
        (title, [_line(link, request) for link in links if request.user.is_superuser or not link.superuser])
        for title, links in SECTIONS
    ]
    return {"label": label, "sections": sections}


def _line(link: Link, request: HttpRequest) -> dict[str, object]:
    url = reverse(link.url_name)
    return {"link": link, "url": url, "current": request.path == url}


@register.inclusion_tag("components/_account.html", takes_context=True)
def account(context: Context) -> dict[str, object]:
    """Return the theme switch, who is signed in, and the way out."""
    request: HttpRequest = context["request"]
    return {
        "user": request.user,
        "request": request,
        "next_theme": "dark" if theme(context) == "light" else "light",
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def version() -> str:
    return VERSION


@register.simple_tag
def time_zone() -> str:
    """Return the zone by whose midnight costs are counted."""
    return settings.COST_TIMEZONE
