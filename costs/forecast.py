"""Where the calendar month will end: every remaining day counts as its weekday usually does.

Deterministic, in Decimal, and an estimate: it knows weekdays and nothing of growth or plans.
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

from costs.ranges import ONE_DAY

HISTORY_DAYS = 28
FEWEST_DAYS = 14
BAND_PERCENT = 80
ZERO = Decimal(0)
# Wide enough that a mean of any sums keeps more digits than are ever shown.
WIDE = Context(prec=60)
METHOD = (
    "Every day that remains counts as the mean of its weekday over the last 28 complete days. Today counts "
    "as what it has cost already and, of its weekday’s mean, the part that usually comes after this time of "
    "day; where no day’s hours are known, as at least its weekday’s mean. The band holds four of five "
    "endings: how far single days strayed from their weekday’s mean, wider the more days remain. An estimate "
    "that knows weekdays, not plans."
)


@dataclass(frozen=True)
class Projection:
    """The expected end of a month in USD with its 80 % band, and the path there day by day.

    Attributes:
        spent: cost of the month so far, today's part included.
        days: the days that were estimated, today first where it is one of them.
        middle, low, high: the running total at the end of each of those days.
        basis_days: how many complete days the estimate stands on.
    """

    spent: Decimal
    days: list[date]
    middle: list[Decimal]
    low: list[Decimal]
    high: list[Decimal]
    basis_days: int

    @property
    def total(self) -> Decimal:
        return self.middle[-1] if self.middle else self.spent

    @property
    def least(self) -> Decimal:
        return self.low[-1] if self.low else self.spent

    @property
    def most(self) -> Decimal:
        return self.high[-1] if self.high else self.spent


def month_of(day: date) -> list[date]:
    """Return all days of the calendar month that holds a day."""
    length = calendar.monthrange(day.year, day.month)[1]
    return [day.replace(day=number) for number in range(1, length + 1)]


def basis_of(costs: Mapping[date, Decimal], today: date, *, began_on: date) -> list[date]:
    """Return the complete days an estimate may stand on: the last 28, none before the first event."""
    days = [today - offset * ONE_DAY for offset in range(HISTORY_DAYS, 0, -1)]
    return [day for day in days if day >= began_on and day in costs]


def project(
    costs: Mapping[date, Decimal], today: date, *, began_on: date, done_share: Decimal | None = None
) -> Projection | None:
    """Return where the month of today will end; None with less than two weeks to stand on.

    Args:
        costs: USD by local day; days without a cost are zero and must be there.
        today: the local day that is not over.
        began_on: the first day with any event: what lies before it is no quiet day, it is not known.
        done_share: which part (0 to 1) of a day's cost is usually spent by now; None where nobody knows.
    """
    basis = basis_of(costs, today, began_on=began_on)
    if len(basis) < FEWEST_DAYS:
        return None
    month = month_of(today)
    done = sum((costs.get(day, ZERO) for day in month if day < today), ZERO)
    so_far = costs.get(today, ZERO)
    usual = weekday_means(costs, basis)
    rest = [day for day in month if day >= today]
    ending = day_end(so_far, usual[today.weekday()], done_share)
    expected = [ending if day == today else usual[day.weekday()] for day in rest]
    middle = running(expected, done)
    low_stray, high_stray = strays(costs, basis)
    left = 1 - (done_share or 0)
    widths = [spread(index + left, len(basis)) for index in range(len(rest))]
    spent = done + so_far
    low = [max(spent, total + low_stray * width) for total, width in zip(middle, widths, strict=True)]
    high = [max(spent, total + high_stray * width) for total, width in zip(middle, widths, strict=True)]
    return Projection(spent, rest, middle, low, high, len(basis))


def day_end(so_far: Decimal, usual: Decimal, done_share: Decimal | None) -> Decimal:
    """Return what a day will have cost: so far, and the rest that usually follows, however much it was."""
    return max(usual, so_far) if done_share is None else so_far + usual * (1 - done_share)


def weekday_means(costs: Mapping[date, Decimal], basis: Sequence[date]) -> dict[int, Decimal]:
    """Return the mean cost of each weekday, Monday 0."""
    return {weekday: mean([costs[day] for day in basis if day.weekday() == weekday]) for weekday in range(7)}


def mean(amounts: Sequence[Decimal]) -> Decimal:
    return WIDE.divide(sum(amounts, ZERO), Decimal(len(amounts)))


def running(amounts: Sequence[Decimal], start: Decimal) -> list[Decimal]:
    """Return the running totals from a start."""
    totals = []
    for amount in amounts:
        start += amount
        totals.append(start)
    return totals


def strays(costs: Mapping[date, Decimal], basis: Sequence[date]) -> tuple[Decimal, Decimal]:
    """Return how far below and above its weekday's mean a day lies that one in ten lies beyond.

    Each day is compared with the mean of the other days of its weekday, or it would pull the mean to itself.
    """
    differences = []
    for day in basis:
        others = [costs[one] for one in basis if one.weekday() == day.weekday() and one != day]
        differences.append(costs[day] - mean(others))
    tail = (100 - BAND_PERCENT) // 2
    return min(ZERO, quantile(differences, tail)), max(ZERO, quantile(differences, 100 - tail))


def quantile(amounts: Sequence[Decimal], percent: int) -> Decimal:
    """Return the empirical quantile, between neighbours by their distance (Hyndman and Fan's type 7)."""
    ordered = sorted(amounts)
    place = Decimal(percent) / 100 * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(days: Decimal | int, basis_days: int) -> Decimal:
    """Return by how much a sum of so many days, the first a part of one, strays more than one day does.

    Independent days: √days; and the means themselves come from a few days only: √(days + days² ÷ basis).
    """
    return WIDE.sqrt(Decimal(days) + WIDE.divide(Decimal(days * days), Decimal(basis_days)))
