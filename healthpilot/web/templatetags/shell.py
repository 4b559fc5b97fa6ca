"""The frame of every page: its theme and the navigation, which lists only what exists."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse

from healthpilot.cache import ForgivingRedisCache
from healthpilot.web import VERSION
from healthpilot.web.roles import Role, role_of

register = template.Library()

THEMES = ("dark", "light", "system", "contrast")
NEVER = "not all"


@register.simple_tag
def redis_is_away() -> bool:
    """Say whether the page is made without Redis, which the reader has to know."""
    return ForgivingRedisCache.is_away()


@dataclass(frozen=True)
class Theme:
    """How a theme is shown: the schemes it names to the browser and when each overlay of tokens holds.

    Paper is always light. 'system' follows the reader's settings without a script and so without a flash.
    """

    label: str
    icon: str
    scheme: str
    light: str = "print"
    contrast: str = NEVER


SHOWN = {
    "dark": Theme("Dark", "i-moon", "dark"),
    "light": Theme("Light", "i-sun", "light", light="all"),
    "system": Theme(
        "System",
        "i-screen",
        "dark light",
        light="print, (prefers-color-scheme: light)",
        contrast="screen and (prefers-contrast: more)",
    ),
    "contrast": Theme("High contrast", "i-contrast", "dark", contrast="screen"),
}


@dataclass(frozen=True)
class Link:
    """One line of the navigation: where it leads, words, icon, who may follow it, the key after g.

    within: the beginning of the addresses that belong to it beside its own.
    """

    url_name: str
    label: str
    icon: str
    role: Role | None = None
    superuser: bool = False
    key: str = ""
    within: str = "//"

    def is_for(self, user: Any) -> bool:
        return bool((role_of(user) or 0) >= (self.role or 0) and (user.is_superuser or not self.superuser))


SECTIONS = (
    (
        "Monitor",
        (
            Link("status:overview", "System Status", "pulse", Role.VIEWER, key="s", within="/admin/status/"),
            Link("costs:dashboard", "Cost", "cost", Role.VIEWER, key="c"),
            Link("costs:budgets", "Budgets", "budget", Role.VIEWER, key="b"),
            Link("costs:prices", "Model prices", "tag", Role.VIEWER),
            Link("dataqueue:jobs", "Jobs", "inbox", Role.VIEWER, key="j"),
        ),
    ),
    (
        "Connect",
        (
            Link("telemetry:instrument", "Instrument your app", "plug", Role.VIEWER),
            Link("imports:upload", "Import a file", "upload", Role.OPERATOR),
            Link("tokens:list", "API tokens", "key", Role.ADMIN),
            Link("portals:api", "API", "code", Role.VIEWER),
        ),
    ),
    (
        "Account",
        (
            Link("mfa_index", "Two-factor sign-in", "shield"),
            Link("account_change_password", "Password", "lock"),
        ),
    ),
    (
        "Internals",
        (
            Link("admin:index", "Data tables", "table", superuser=True),
            Link("portals:design", "Design", "palette"),
        ),
    ),
)


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Return the theme that the cookie names, dark where it names none."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme") if request else None
    return chosen if chosen in THEMES else THEMES[0]


@register.inclusion_tag("components/_themes.html", takes_context=True)
def theme_styles(context: Context) -> dict[str, object]:
    """Return the style sheets that lie over the dark tokens, each with the media in which it holds."""
    return {"chosen": SHOWN[theme(context)]}


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
    return {"link": link, "url": url, "current": request.path == url or request.path.startswith(link.within)}


@register.inclusion_tag("components/_account.html", takes_context=True)
def account(context: Context) -> dict[str, object]:
    """Return the theme switch, who is signed in, and the way out."""
    request: HttpRequest = context["request"]
    role = role_of(request.user)
    return {
        "user": request.user,
        "role": role.group.capitalize() if role else "Visitor",
        "request": request,
        "themes": SHOWN,
        "theme": theme(context),
        "csrf_token": context.get("csrf_token"),
    }


# Which portal the pages below an address belong to; all others are the marketing site's.
PORTALS = (("/admin", "admin"), ("/accounts/", "admin"), ("/portal", "customer"))


@register.simple_tag(takes_context=True)
def visits(context: Context) -> dict[str, object] | None:
    """Return what the page tells of itself, how often in a hundred, and where to; None where it does not."""
    request: HttpRequest | None = context.get("request")
    if request is None or settings.VITALS_PERCENT == 0:
        return None
    portal = next((name for start, name in PORTALS if request.path.startswith(start)), "marketing")
    return {"portal": portal, "percent": settings.VITALS_PERCENT, "url": reverse("portals:vitals")}


@register.simple_tag
def version() -> str:
    return VERSION


@register.simple_tag
def time_zone() -> str:
    """Return the zone by whose midnight costs are counted."""
    return settings.COST_TIMEZONE
