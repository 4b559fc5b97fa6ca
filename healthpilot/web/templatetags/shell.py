"""The frame of every page: its theme and the navigation, which lists only what exists."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse

from healthpilot.web import VERSION
from healthpilot.web.roles import Role, role_of

register = template.Library()

THEMES = ("dark", "light")


@dataclass(frozen=True)
class Link:
    """One line of the navigation: where it leads, its words, its icon, and who may follow it."""

    url_name: str
    label: str
    icon: str
    role: Role | None = None
    superuser: bool = False

    def is_for(self, user: Any) -> bool:
        return bool((role_of(user) or 0) >= (self.role or 0) and (user.is_superuser or not self.superuser))


SECTIONS = (
    ("Monitor", (Link("costs:dashboard", "Cost", "cost", Role.VIEWER),)),
    ("Manage", (Link("tokens:list", "API tokens", "key", Role.ADMIN),)),
    (
        "Account",
        (
            Link("mfa_index", "Two-factor sign-in", "shield"),
            Link("account_change_password", "Password", "lock"),
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
        (title, [_line(link, request) for link in links if link.is_for(request.user)])
        for title, links in SECTIONS
    ]
    return {"label": label, "sections": [section for section in sections if section[1]]}


def _line(link: Link, request: HttpRequest) -> dict[str, object]:
    url = reverse(link.url_name)
    return {"link": link, "url": url, "current": request.path == url}


@register.inclusion_tag("components/_account.html", takes_context=True)
def account(context: Context) -> dict[str, object]:
    """Return the theme switch, who is signed in, and the way out."""
    request: HttpRequest = context["request"]
    role = role_of(request.user)
    return {
        "user": request.user,
        "role": role.group.capitalize() if role else "Visitor",
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
