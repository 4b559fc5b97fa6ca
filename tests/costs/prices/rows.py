"""Prices for tests, set as an admin would."""

from datetime import date
from decimal import Decimal
from typing import Any

from costs.models import ModelPrice
from costs.prices.setting import NewPrice, set_price

MAY = date(2024, 5, 1)


def price(
    given: str = "1", cached: str = "0.5", made: str = "2", request: str = "0", **values: Any
) -> NewPrice:
    """Return a price to set; what is not given is plain."""
    plain: dict[str, Any] = {
        "llm_model": "m-small",
        "effective_from": MAY,
        "created_by": "maren",
        "reason": "test",
    }
    amounts = (Decimal(given), Decimal(cached), Decimal(made), Decimal(request))
    return NewPrice(amounts=amounts, **plain | values)


def store_price(*amounts: str, **values: Any) -> ModelPrice:
    return set_price(price(*amounts, **values))
