"""What usage costs: pure Decimal arithmetic, from sums and rates to apportioned micro-dollars."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact

MICRO = Decimal("0.000001")
MICRO_PLACES = 6
# Never rounds: a result that does not fit raises instead, so a lost digit cannot go unseen.
EXACT = Context(prec=200, traps=[Inexact])


@dataclass(frozen=True)
class TokenRates:
    """USD for one token of each kind, and for one request that was really made."""

    input_usd: Decimal
    cached_usd: Decimal
    output_usd: Decimal
    request_usd: Decimal = Decimal(0)

    @classmethod
    def per_million(
        cls, input_usd: Decimal, cached_usd: Decimal, output_usd: Decimal, request_usd: Decimal
    ) -> "TokenRates":
        """Make rates from USD per million tokens; the decimal point moves, nothing is divided."""
        input_usd, cached_usd, output_usd = (
            EXACT.scaleb(usd, -6) for usd in (input_usd, cached_usd, output_usd)
        )
        return cls(input_usd, cached_usd, output_usd, request_usd)


@dataclass(frozen=True)
class Rates:
    """USD for all that is billed on one day; models without a rate of their own go by the constants.

    price_ids names the price row behind each model's rates.
    """

    cpu_ms_usd: Decimal
    row_usd: Decimal
    constant: TokenRates
    models: Mapping[str, TokenRates]
    price_ids: Mapping[str, int] = field(default_factory=dict)

    def of(self, model: str) -> TokenRates:
        """Return the rates of one model's tokens."""
        return self.models.get(model, self.constant)

    @property
    def places(self) -> int:
        """Return how many decimal places hold every rate exactly, at least those of a micro-dollar."""
        tokens = (self.constant, *self.models.values())
        usds = [self.cpu_ms_usd, self.row_usd, *(usd for rates in tokens for usd in vars(rates).values())]
        return max(MICRO_PLACES, *(decimal_places(usd) for usd in usds))


def constant_rates(
    *,
    cpu_ms_usd: Decimal,
    db_row_1k_usd: Decimal,
    input_usd: Decimal,
    output_usd: Decimal,
    models: Mapping[str, TokenRates],
    price_ids: Mapping[str, int] | None = None,
) -> Rates:
    """Make a day's rates from the constants, in USD per CPU millisecond, 1,000 rows and token."""
    constant = TokenRates(input_usd, input_usd, output_usd)
    return Rates(cpu_ms_usd, EXACT.scaleb(db_row_1k_usd, -3), constant, models, price_ids or {})


def job_cost(rates: Rates, *, cpu_ms: int, rows: int) -> Decimal:
    """Return the exact USD of jobs: cpu_ms × COST_CPU_MS + rows read and written × COST_DB_ROW_1K ÷ 1000."""
    return EXACT.add(EXACT.multiply(rates.cpu_ms_usd, cpu_ms), EXACT.multiply(rates.row_usd, rows))


def llm_cost(
    rates: TokenRates, *, input_tokens: int, cached_tokens: int, output_tokens: int, requests: int
) -> Decimal:
    """Return the exact USD of LLM calls; input_tokens include cached ones, which are priced apart, once."""
    parts = (
        EXACT.multiply(rates.input_usd, input_tokens - cached_tokens),
        EXACT.multiply(rates.cached_usd, cached_tokens),
        EXACT.multiply(rates.output_usd, output_tokens),
        EXACT.multiply(rates.request_usd, requests),
    )
    total = Decimal(0)
    for part in parts:
        total = EXACT.add(total, part)
    return total


def round_usd(exact: Decimal) -> Decimal:
    """Round an exact sum to the micro-dollar, half to even."""
    return exact.quantize(MICRO, ROUND_HALF_EVEN, Context(prec=200))


def apportion(exact: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Share out the rounded sum of exact costs, so that the shares add up to it to the micro-dollar.

    Largest remainder: each share is cut to the micro-dollar, and the micro-dollars still missing go
    to the largest remainders, ties by key in byte order. A share is within $0.000001 of its cost.
    """
    micros = {key: EXACT.scaleb(cost, MICRO_PLACES) for key, cost in exact.items()}
    total = Decimal(0)
    for cost in micros.values():
        total = EXACT.add(total, cost)
    floors = {key: int(cost) for key, cost in micros.items()}
    missing = int(total.to_integral_value(ROUND_HALF_EVEN)) - sum(floors.values())
    by_remainder = sorted(micros, key=lambda key: (floors[key] - micros[key], key.encode()))
    lifted = set(by_remainder[:missing])
    return {
        key: EXACT.scaleb(Decimal(floor + (key in lifted)), -MICRO_PLACES) for key, floor in floors.items()
    }


def decimal_places(number: Decimal) -> int:
    """Return how many decimal places a number needs."""
    exponent = number.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def plain(number: Decimal) -> str:
    """Write a number without exponent and without trailing zeros."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
