"""Key figures of a range: totals, what complete days were compared with, and a series for each sparkline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from costs.queries import Day, ModelRow
from costs.ranges import DateRange
from costs.savings import Savings, exact_sum
from healthpilot.web import numbers

Figure = Decimal | int | None

MONEY, COUNT, PERCENT, DURATION = "money", "count", "percent", "duration"


@dataclass(frozen=True)
class Card:
    """One key figure: total over the whole range, current and previous over equally many complete days."""

    key: str
    label: str
    kind: str
    total: Figure
    current: Figure
    previous: Figure
    series: Sequence[Figure]
    previous_series: Sequence[Figure]
    foot: str = ""
    unit: str = ""
    warns: bool = False

    @property
    def text(self) -> str:
        """The total as it stands on the card."""
        return written(self.total, self.kind)

    @property
    def exact(self) -> str:
        """The total with every digit, for whoever points at it."""
        if self.kind == MONEY:
            return numbers.money_exact(None if self.total is None else Decimal(self.total))
        return (
            numbers.percent(decimal(self.total), 6)
            if self.kind == PERCENT
            else numbers.count(whole(self.total))
        )

    @property
    def before(self) -> str:
        return written(self.previous, self.kind)

    @property
    def is_new(self) -> bool:
        """Something where there was nothing: no percentage can say how much more that is."""
        return bool(self.current) and not self.previous

    @property
    def change(self) -> Decimal | None:
        """Difference to the previous period, in percent; in points for a figure that is itself in percent."""
        if self.current is None or not self.previous:
            return None
        if self.kind == PERCENT:
            return Decimal(self.current) - Decimal(self.previous)
        return (Decimal(self.current) - Decimal(self.previous)) * 100 / Decimal(self.previous)

    @property
    def is_steady(self) -> bool:
        """A change that would read 0.0."""
        return self.change is not None and not numbers.rounded(self.change, 1)

    @property
    def rises(self) -> bool:
        return bool(self.change and self.change > 0)

    @property
    def size_of_change(self) -> Decimal | None:
        return None if self.change is None else abs(self.change)


def decimal(figure: Figure) -> Decimal | None:
    return None if figure is None else Decimal(figure)


def whole(figure: Figure) -> int | None:
    return None if figure is None else round(figure)


def written(figure: Figure, kind: str) -> str:
    """Return a figure in its own kind: dollars, percent or a count."""
    if kind == MONEY:
        return numbers.money(decimal(figure))
    if kind == DURATION:
        return numbers.duration(whole(figure))
    return numbers.percent(decimal(figure)) if kind == PERCENT else numbers.compact(whole(figure))


@dataclass(frozen=True)
class Periods:
    """The days of a range, its complete ones and those before: what every card is made from."""

    shown: list[Day]
    complete: list[Day]
    previous: list[Day]

    @classmethod
    def of(cls, asked: DateRange, rows: Mapping[date, Day]) -> "Periods":
        return cls(
            *(
                [rows[day] for day in dates]
                for dates in (asked.dates, asked.complete_dates, asked.previous_dates)
            )
        )


def cards(
    asked: DateRange, rows: Mapping[date, Day], *, users: int, unpriced: Sequence[ModelRow], today: date
) -> list[Card]:
    """Return the cards that sum a column, in order; the month and the budget have their own."""
    periods = Periods.of(asked, rows)
    return [
        spend(periods, asked, rows.get(today)),
        cache_hits(periods),
        jobs(periods),
        ai_calls(periods),
        active_users(periods, users),
        unpriced_calls(periods, unpriced),
    ]


def summed(periods: Periods, name: str) -> dict[str, Figure | Sequence[Figure]]:
    """Return total, current, previous and both series of one column."""
    shown, complete, previous = ([getattr(day, name) for day in days] for days in vars(periods).values())
    # Money stays money where there is no day to add up, and keeps every digit.
    add: Callable[[list[Any]], Figure] = exact_sum if name == "cost_exact" else sum
    return {
        "total": add(shown), "current": add(complete), "previous": add(previous),
        "series": shown, "previous_series": previous,
    }  # fmt: skip


def card(
    key: str, label: str, kind: str, periods: Periods, column: str | None = None, *, foot: str = ""
) -> Card:
    """Return the card of one column, which is named as the card is unless given."""
    return Card(key, label, kind, **summed(periods, column or key), foot=foot)  # type: ignore[arg-type] # summed() holds its numbers alone


def spend(periods: Periods, asked: DateRange, today: Day | None) -> Card:
    foot = f"{numbers.money(today.cost_exact)} of it today so far" if asked.has_today and today else ""
    return Card("spend", "Spend", MONEY, **summed(periods, "cost_exact"), foot=foot)  # type: ignore[arg-type] # summed() holds its numbers alone


def jobs(periods: Periods) -> Card:
    failed = sum(day.job_failures for day in periods.shown)
    total = sum(day.jobs for day in periods.shown)
    foot = (
        f"{numbers.count(failed)} failed, {numbers.percent(numbers.share(failed, total))}"
        if total
        else "None ran"
    )
    return Card("jobs", "Jobs", COUNT, **summed(periods, "jobs"), foot=foot)  # type: ignore[arg-type] # summed() holds its numbers alone


def ai_calls(periods: Periods) -> Card:
    tokens_in, tokens_out = (
        sum(getattr(day, name) for day in periods.shown) for name in ("tokens_in", "tokens_out")
    )
    foot = f"{numbers.compact(tokens_in)} in, {numbers.compact(tokens_out)} out"
    return Card("ai_calls", "AI calls", COUNT, **summed(periods, "ai_calls"), foot=foot)  # type: ignore[arg-type] # summed() holds its numbers alone


def cache_hits(periods: Periods, *, tells_savings: bool = True) -> Card:
    """Return the share of AI calls that a cache answered: cache hits ÷ AI calls.

    tells_savings: also say what caches saved, where the days hold it.
    """
    shown, complete, previous = (
        hit_rate(days) for days in (periods.shown, periods.complete, periods.previous)
    )
    series, before = ([hit_rate([day]) for day in days] for days in (periods.shown, periods.previous))
    hits = sum(day.cache_hits for day in periods.shown)
    foot = f"{numbers.count(hits)} {'hit' if hits == 1 else 'hits'}"
    if tells_savings:
        foot = f"{numbers.money(Savings.of(periods.shown).saved_usd)} saved, {foot}"
    return Card("cache_hit_rate", "Cache hit-rate", PERCENT, shown, complete, previous, series, before, foot)


def hit_rate(days: Sequence[Day]) -> Decimal | None:
    return numbers.share(sum(day.cache_hits for day in days), sum(day.ai_calls for day in days))


def active_users(periods: Periods, users: int) -> Card:
    """Return distinct users of the range; the change is that of the average day."""
    average, before = average_users(periods.complete), average_users(periods.previous)
    foot = (
        f"{numbers.plain(numbers.rounded(average, 0 if average >= 10 else 1))} on an average day"
        if average
        else ""
    )
    series, earlier = ([day.users for day in days] for days in (periods.shown, periods.previous))
    return Card("users", "Active users", COUNT, users, average, before, series, earlier, foot, unit=" a day")


def average_users(days: Sequence[Day]) -> Decimal | None:
    return Decimal(sum(day.users for day in days)) / len(days) if days else None


def unpriced_calls(periods: Periods, models: Sequence[ModelRow]) -> Card:
    """Return AI calls of models without a price row; the constants priced them, so they are in the spend."""
    figures = summed(periods, "unpriced_calls")
    calls = sum(day.ai_calls for day in periods.shown)
    every = bool(figures["total"]) and figures["total"] == calls
    if every:
        foot = "No model has a price yet; default rates apply"
    elif models:
        count = f"{numbers.count(len(models))} {'model' if len(models) == 1 else 'models'}"
        foot = f"{count} without a price, at default rates"
    else:
        foot = "Every call has a price" if calls else ""
    warns = bool(figures["total"]) and not every
    return Card("unpriced_calls", "Unpriced calls", COUNT, **figures, foot=foot, warns=warns)  # type: ignore[arg-type] # summed() holds its numbers alone


def sums(asked: DateRange, rows: Mapping[date, Day]) -> list[Card]:
    """Return the plain sums that have no card on the page, for the API."""
    periods = Periods.of(asked, rows)
    names = {"cpu_ms": "CPU, ms", "tokens_in": "Tokens in", "tokens_out": "Tokens out"}
    return [Card(name, label, COUNT, **summed(periods, name)) for name, label in names.items()]  # type: ignore[arg-type] # summed() holds its numbers alone
