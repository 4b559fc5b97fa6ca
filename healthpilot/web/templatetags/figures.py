"""Figures in templates: short on the page, exact on hover, and small server-made pictures of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, wraps
from typing import Any, Final

import orjson
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from healthpilot.web import numbers, sparklines

register = template.Library()

ESCAPED: Final = {"<": "\\u003C", ">": "\\u003E", "&": "\\u0026"}
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def safe(write: Callable[..., str]) -> Callable[..., SafeString]:
    """Return what writes figures, marked as safe: it writes digits, signs and units alone."""
    return wraps(write)(lambda *values: SafeString(write(*values)))


register.filter("count", safe(numbers.count))
register.filter("duration", safe(numbers.duration))
register.filter("percent", safe(numbers.percent))
register.filter("money_exact", safe(numbers.money_exact))


def short(text: str, exact: str) -> SafeString:
    """Return a figure's short text, with the exact one on hover where it says more.

    Both come from numbers, so only the '<' of amounts too small to write needs escaping; a page has hundreds.
    """
    shown = text.replace("<", "&lt;")
    return SafeString(shown if text == exact else f'<span title="{exact}">{shown}</span>')


def dollars(value: Decimal | None, decimals: int | None) -> str:
    """Return money in its own digits, or in those of its column where they are given."""
    return numbers.money(value) if value is None or decimals is None else numbers.money_at(value, decimals)


@register.filter
def money(value: Decimal | None, decimals: int | None = None) -> SafeString:
    return short(dollars(value, decimals), numbers.money_exact(value))


@register.filter
def amount(value: Decimal, decimals: int | None = None) -> SafeString:
    """Return money for a column whose head names the currency."""
    return short(dollars(value, decimals).replace("$", ""), numbers.money_exact(value).replace("$", ""))


@register.filter
def signed(value: Decimal, decimals: int | None = None) -> SafeString:
    """Return a difference in money for a column whose head names the currency, its sign written out."""
    sign = "+" if value > 0 else ""
    text, exact = dollars(value, decimals).replace("$", ""), numbers.money_exact(value).replace("$", "")
    return short(f"{sign}{text}", f"{sign}{exact}")


@register.simple_tag
def decimals(rows: Iterable[object], *names: str) -> int:
    """Return how many decimals a table's dollars have: those of the attributes named, amounts or lists."""
    return numbers.places(flat(getattr(row, name) for row in rows for name in names))


def flat(amounts: Iterable[Decimal | Sequence[Decimal] | None]) -> Iterator[Decimal]:
    for amount in amounts:
        if isinstance(amount, Decimal):
            yield amount
        elif amount is not None:
            yield from amount


@register.filter
def chart_json(figure: Mapping[str, Any], element_id: str) -> SafeString:
    """Return a figure as the JSON script that charts.js draws; nothing in it can end the script."""
    text = orjson.dumps(figure, default=str).decode()
    for letter, escaped in ESCAPED.items():
        text = text.replace(letter, escaped)
    return format_html('<script id="{}" type="application/json">{}</script>', element_id, SafeString(text))


@register.filter
def compact(value: int | None) -> SafeString:
    return short(numbers.compact(value), numbers.count(value))


@register.filter
def day(value: date) -> SafeString:
    return SafeString(f"{value.day} {MONTHS[value.month - 1]}")


@register.filter
def day_and_year(value: date) -> SafeString:
    return SafeString(f"{day(value)} {value.year}")


@register.filter
def points(value: Decimal | None) -> str:
    """Return a difference of two percentages, which is not itself a percentage."""
    return numbers.NO_FIGURE if value is None else f"{numbers.rounded(value, 1):,f}"


@register.simple_tag
def ago(moment: datetime | None, now: datetime | None = None) -> SafeString:
    """Return a time element that reads '3 min ago' and tells the exact UTC time on hover."""
    if moment is None:
        return SafeString(numbers.NO_FIGURE)
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        relative((now or timezone.now()) - moment),
    )


@register.simple_tag
def moment(at: datetime | None, today: date) -> SafeString:
    """Return a time element that reads '14:33 UTC', with the day where it is another, exact on hover.

    Unlike ago it stays true, so a part that holds it can be kept.
    """
    if at is None:
        return SafeString(numbers.NO_FIGURE)
    exact = at.astimezone(UTC)
    on = "" if exact.date() == today else f"{exact.day} {exact:%b %Y}, "
    return format_html(
        '<time datetime="{}" title="{} UTC">{}{} UTC</time>',
        exact.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        on,
        f"{exact:%H:%M}",
    )


def relative(age: timedelta) -> str:
    """Return an age in the largest unit that fits: 'just now', '3 min ago', '26 h ago', '12 days ago'."""
    seconds = int(age.total_seconds())
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h ago"
    return f"{seconds // 86_400} days ago"


@register.simple_tag
def sparkline(
    values: Sequence[Decimal | int | None],
    previous: Sequence[Decimal | int | None] = (),
    *,
    last_is_open: bool = False,
) -> SafeString:
    """Return an inline SVG of the values, one a day; None is a gap, an open last day is dashed."""
    return sparklines.drawing(values, previous, last_is_open=last_is_open)


# Not a template of its own: a page has dozens, and each would cost as much as a small page part.
ICON = '<svg class="{}" viewBox="0 0 16 16" aria-hidden="true"><use href="#{}"/></svg>'


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, css_class: str = "i") -> SafeString:
    return format_html(ICON, css_class, name)


@register.simple_tag
def share_bar(value: Decimal | None) -> SafeString:
    """Return a bar as long as a share in percent, by attributes only: the policy forbids inline styles."""
    width = numbers.rounded(max(Decimal(0), min(Decimal(100), value or Decimal(0))), 1)
    return format_html(
        '<svg class="share" aria-hidden="true"><rect class="bar-bg" width="100%" height="6" rx="3"/>'
        '<rect class="bar-fg" width="{}%" height="6" rx="3"/></svg>',
        width,
    )


@register.simple_tag
def swing(value: Decimal, widest: Decimal) -> SafeString:
    """Return a bar to the left for less and to the right for more, as long as its share of the widest."""
    width = numbers.rounded(abs(value) * 50 / widest, 1) if widest else Decimal(0)
    return format_html(
        '<svg class="swing" aria-hidden="true"><rect class="{}" x="{}%" width="{}%" height="6" rx="2"/>'
        '<rect class="swing-zero" x="50%" width="1" height="10" y="-2"/></svg>',
        "swing-up" if value > 0 else "swing-down",
        50 if value > 0 else 50 - width,
        width,
    )
