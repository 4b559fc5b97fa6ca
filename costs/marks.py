"""What a chart of days points at: changes of prices, and days that cost far more than their weekday does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costs.queries import CHANGED_PRICES, read
from costs.ranges import DateRange
from healthpilot.web import numbers

LETTERS = "ABCDEFGH"
MOST_BIG_DAYS = 3
FEWEST_PEERS = 2
# A day stands out when it costs half as much again as the median of its weekday, and no less than most days.
BIG = Decimal("1.5")


@dataclass(frozen=True)
class Mark:
    """A day to point at, with a letter for the chart and a few words for the list below it."""

    on: date
    letter: str
    models: Sequence[str] = ()
    other: str = ""

    @property
    def words(self) -> str:
        """Return all that is said of the day."""
        prices = f"price of {named(self.models)}" if self.models else ""
        return "; ".join(filter(None, [prices, self.other]))


def marks(asked: DateRange, costs: Mapping[date, Decimal]) -> list[Mark]:
    """Return the marks of a range in the order of days; costs are USD by day, the period before included."""
    prices, big = price_changes(asked), dict(big_days(asked.complete_dates, costs))
    newest = sorted(prices.keys() | big.keys())[-len(LETTERS) :]
    return [
        Mark(day, letter, prices.get(day, ()), big.get(day, ""))
        for day, letter in zip(newest, LETTERS, strict=False)
    ]


def price_changes(asked: DateRange) -> dict[date, list[str]]:
    """Return the models whose price began or ended, by day; only those that were called in the range.

    The price library knows hundreds of models that nobody here calls, and changes some of them every week.
    """
    models: dict[date, set[str]] = {}
    for model, began_on, ended_on in read(CHANGED_PRICES, asked):
        for day in (began_on, ended_on):
            if day and asked.first_on <= day <= asked.last_on:
                models.setdefault(day, set()).add(model)
    return {day: sorted(names) for day, names in models.items()}


def named(models: Sequence[str]) -> str:
    return models[0] if len(models) == 1 else f"{models[0]} and {len(models) - 1} more"


def big_days(days: Sequence[date], costs: Mapping[date, Decimal]) -> list[tuple[date, str]]:
    """Return the days that stand out most, with how many times the median of their weekday they cost."""
    times = []
    ordinary = median([costs[day] for day in days if costs.get(day)]) or 0
    for day in days:
        peers = [cost for one, cost in costs.items() if one.weekday() == day.weekday() and one != day]
        usual = median([cost for cost in peers if cost])
        if usual and costs[day] >= max(usual * BIG, ordinary):
            times.append((costs[day] / usual, day))
    largest = sorted(times, reverse=True)[:MOST_BIG_DAYS]
    return [
        (day, f"{numbers.plain(numbers.rounded(ratio, 1))} times a usual {day:%A}") for ratio, day in largest
    ]


def median(amounts: Sequence[Decimal]) -> Decimal | None:
    """Return the median of at least two amounts; one alone says nothing about what is usual."""
    if len(amounts) < FEWEST_PEERS:
        return None
    ordered = sorted(amounts)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
