"""Amounts that budgets count, as whole numbers in a fixed order: the order of the scripts' places."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from costs.pricing import EXACT

NANO_PLACES: Final = 9
# Redis scripts count in doubles, which are exact up to here.
MOST: Final = 2**53 - 1
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Amounts:
    """What work takes: CPU milliseconds, jobs, tokens in and out, and cost in nano-dollars; -1 is unknown."""

    cpu_ms: int = 0
    jobs: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano: int = 0

    @classmethod
    def of(cls, amounts: Iterable[int]) -> "Amounts":
        """Make them from whole numbers in the order of the scripts' places."""
        cpu_ms, jobs, input_tokens, output_tokens, cost_nano = amounts
        return cls(cpu_ms, jobs, input_tokens, output_tokens, cost_nano)

    def each(self) -> Sequence[int]:
        """Return the amounts in the order of the scripts' places."""
        return (self.cpu_ms, self.jobs, self.input_tokens, self.output_tokens, self.cost_nano)

    def times(self, count: int) -> "Amounts":
        """Return the amounts of so many equal pieces of work; what is unknown stays so."""
        return Amounts.of(amount * count if amount > 0 else amount for amount in self.each())

    def bounded(self) -> "Amounts":
        """Return the amounts within what can be counted, none below nought."""
        return Amounts.of(min(MOST, max(0, amount)) for amount in self.each())

    def plus(self, other: "Amounts") -> "Amounts":
        """Return both together."""
        return Amounts.of(mine + theirs for mine, theirs in zip(self.each(), other.each(), strict=True))


def nano(usd: Decimal) -> int:
    """Return US dollars in whole nano-dollars, rounded up, so that a cap is never passed by rounding."""
    return min(MOST, int(EXACT.scaleb(usd, NANO_PLACES).to_integral_value(ROUND_CEILING)))


def usd(amount: int) -> Decimal:
    """Return nano-dollars in US dollars."""
    return EXACT.scaleb(Decimal(amount), -NANO_PLACES)
