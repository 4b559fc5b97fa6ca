"""The price library: what genai-prices says a model costs; the only room that knows the package.

Its data comes with the package, so nothing is fetched. Loading takes a second or more: it waits until asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Any

PLACES = Decimal("0.000000001")
PER_THOUSAND = -3
NOON = time(12)


@dataclass(frozen=True)
class LibraryPrice:
    """One model's price on one day: USD per million tokens and per request, and what it leaves out."""

    provider: str
    amounts: tuple[Decimal, Decimal, Decimal, Decimal]
    note: str = ""

    @property
    def is_free(self) -> bool:
        return not any(self.amounts)


@dataclass(frozen=True)
class Named:
    """A model of the library under the name it has there."""

    model: str
    provider: str


@cache
def source() -> str:
    """Return how rows from the library name where they come from."""
    return f"genai-prices {version('genai-prices')}"


def price_on(model: str, provider: str, day: date) -> LibraryPrice | None:
    """Return what the library says a recorded model costs on a day; None where it has no token price.

    The provider is as recorded: a name, the host of its API, or '' for whoever makes models of that name. A
    provider that the library does not know has no price, even where another one offers the same model.
    """
    found = find(model, provider)
    if found is None:
        return None
    known_as, info = found
    prices = info.get_prices(datetime.combine(day, NOON, UTC))
    return read(known_as.id, prices, note=varies_by_time(info))


def starts(model: str, provider: str) -> list[date]:
    """Return the days on which the library has a model's price begin."""
    found = find(model, provider)
    prices = found[1].prices if found else ()
    if not isinstance(prices, list):
        return []
    constraints = (getattr(price.constraint, "start_date", None) for price in prices)
    return sorted({start for start in constraints if start is not None})


def every_model(*, longest: int) -> Iterator[Named]:
    """Yield the models whose name one provider alone uses, as far as the name fits."""
    names: dict[str, list[str]] = {}
    for provider in snapshot().providers:
        for model in provider.models:
            names.setdefault(model.id, []).append(provider.id)
    for name, providers in sorted(names.items()):
        if len(providers) == 1 and len(name) <= longest:
            yield Named(name, providers[0])


@cache
def snapshot() -> Any:
    """Return the data that the package carries."""
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()


@cache
def find(model: str, provider: str) -> tuple[Any, Any] | None:
    """Return the library's provider and model for recorded names."""
    host = f"https://{provider}" if "." in provider else None
    try:
        found: tuple[Any, Any] = snapshot().find_provider_model(
            model, None, None if host else provider or None, host
        )
    except LookupError:
        return None
    return found


def read(provider: str, prices: Any, *, note: str) -> LibraryPrice | None:
    """Return the library's amounts as ours; None where it does not price input by the token."""
    given, cached, made = (
        base(getattr(prices, name)) for name in ("input_mtok", "cache_read_mtok", "output_mtok")
    )
    if given is None:
        return None
    request = (base(prices.requests_kcount) or Decimal(0)).scaleb(PER_THOUSAND)
    amounts = (given, given if cached is None else cached, made or Decimal(0), request)
    if any(amount != amount.quantize(PLACES) for amount in amounts):
        return None
    tiered = any(not isinstance(price, Decimal) for price in vars(prices).values() if price is not None)
    return LibraryPrice(provider, amounts, note or ("base tier; long prompts cost more" if tiered else ""))


def base(price: Any) -> Decimal | None:
    """Return a price, of one with tiers that of its first tier."""
    return price if price is None or isinstance(price, Decimal) else price.base


def varies_by_time(info: Any) -> str:
    """Return a note where the price depends on the time of day."""
    prices = info.prices if isinstance(info.prices, list) else ()
    varies = any(hasattr(price.constraint, "start_time") for price in prices)
    return "price at noon UTC; it varies over the day" if varies else ""
