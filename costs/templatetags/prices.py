"""Prices in templates: every digit they have, and differences with their sign."""

from decimal import Decimal

from django import template

from costs.pricing import plain
from healthpilot.web import numbers

register = template.Library()


@register.filter
def usd(amount: Decimal) -> str:
    """Return a price with all its digits and at least cents: $0.15, $0.075, $0.00."""
    whole, _, places = plain(amount).partition(".")
    return f"${int(whole):,}.{places.ljust(2, '0')}"


@register.filter
def difference(amount: Decimal) -> str:
    """Return a signed amount of money: +$1.20, −$0.03, ±$0.00."""
    text = numbers.money(amount)
    return f"+{text}" if amount > 0 else text if amount < 0 else f"±{text}"


@register.filter
def difference_exact(amount: Decimal) -> str:
    """Return a signed amount with every digit."""
    text = numbers.money_exact(amount)
    return f"+{text}" if amount > 0 else text
