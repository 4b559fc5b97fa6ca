"""The calendar month: what it has cost, where it will end, and the month before beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from costs import charts, hours, queries
from costs.forecast import FEWEST_DAYS, METHOD, Projection, basis_of, month_of, project
from costs.forecast import HISTORY_DAYS as BASIS
from costs.queries import Day, Extent
from costs.ranges import ONE_DAY
from healthpilot.web import numbers

ZERO = Decimal(0)


@dataclass(frozen=True)
class MonthDay:
    """One line of the month's table: what a day cost and the running total, or where that is estimated."""

    on: date
    cost: Decimal | None
    running: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True)
class Month:
    """The month of today with its estimate, which is None where there is too little to stand on."""

    today: date
    rows: Mapping[date, Day]
    projection: Projection | None
    basis_days: int

    @cached_property
    def costs(self) -> dict[date, Decimal]:
        return {day: row.cost_exact for day, row in self.rows.items()}

    @property
    def days(self) -> list[date]:
        return month_of(self.today)

    @property
    def name(self) -> str:
        return f"{self.today:%B}"

    @property
    def previous_days(self) -> list[date]:
        return month_of(self.today.replace(day=1) - ONE_DAY)

    @property
    def previous_total(self) -> Decimal:
        return sum((self.costs.get(day, ZERO) for day in self.previous_days), ZERO)

    @property
    def previous_name(self) -> str:
        return f"{self.previous_days[0]:%B}"

    @property
    def spent(self) -> Decimal:
        return sum((self.costs.get(day, ZERO) for day in self.days if day <= self.today), ZERO)

    @property
    def change(self) -> Decimal | None:
        """The estimate against the month before, in percent."""
        if self.projection is None or not self.previous_total:
            return None
        return (self.projection.total - self.previous_total) * 100 / self.previous_total

    @property
    def size_of_change(self) -> Decimal | None:
        return None if self.change is None else abs(self.change)

    @property
    def done(self) -> list[Decimal]:
        """Running totals at the end of each complete day, oldest first."""
        return totals([self.costs.get(day, ZERO) for day in self.days if day < self.today])

    @property
    def earlier(self) -> list[Decimal]:
        """Running totals of the month before."""
        return totals([self.costs.get(day, ZERO) for day in self.previous_days])

    @property
    def missing_days(self) -> int:
        return max(0, FEWEST_DAYS - self.basis_days)


def totals(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return running totals."""
    found, total = [], ZERO
    for amount in amounts:
        total += amount
        found.append(total)
    return found


def month(extent: Extent, today: date, known: Mapping[date, Day] | None = None) -> Month:
    """Read what the month's card and chart need: the days since the month before began, and the last 28.

    known holds days that were read already; where they reach far enough nothing is read again.
    """
    wanted = days_read(today)
    rows = known if known is not None and known.keys() >= set(wanted) else queries.days(wanted)
    costs = {day: row.cost_exact for day, row in rows.items()}
    began_on = extent.first_on or today
    if not recent(costs, today):
        return Month(today, rows, None, 0)
    ahead = project(costs, today, began_on=began_on, done_share=hours.share_by_now(today))
    return Month(today, rows, ahead, len(basis_of(costs, today, began_on=began_on)))


def days_read(today: date) -> list[date]:
    """Return the days from the beginning of the month before, or of what an estimate stands on, to today."""
    previous = today.replace(day=1) - ONE_DAY
    first = min(previous.replace(day=1), today - BASIS * ONE_DAY)
    return [first + offset * ONE_DAY for offset in range((today - first).days + 1)]


def recent(costs: Mapping[date, Decimal], today: date) -> bool:
    """Return whether the days that an estimate would stand on cost anything at all."""
    return any(costs.get(today - offset * ONE_DAY) for offset in range(BASIS + 1))


def panel(found: Month) -> dict[str, Any]:
    """Return the month as figure, sentence and table."""
    return {
        "month": found,
        "month_sentence": sentence(found),
        "month_method": METHOD,
        "month_rows": list(reversed(rows(found))),
        "month_figure": charts.month_to_date(found) if found.projection else None,
    }


def rows(found: Month) -> list[MonthDay]:
    done = [day for day in found.days if day < found.today]
    lines = [
        MonthDay(day, found.costs.get(day, ZERO), total) for day, total in zip(done, found.done, strict=True)
    ]
    ahead = found.projection
    if ahead is None:
        return lines
    return lines + [
        MonthDay(day, found.costs.get(day, ZERO) if day == found.today else None, middle, low, high)
        for day, middle, low, high in zip(ahead.days, ahead.middle, ahead.low, ahead.high, strict=True)
    ]


def sentence(found: Month) -> str:
    """Return where the month will end in one sentence, or why nobody can say."""
    if found.projection is None:
        return (
            f"An estimate needs {FEWEST_DAYS} complete days with data; the last {BASIS} hold "
            f"{found.basis_days or 'none'}."
        )
    ahead = found.projection
    band = f"{numbers.money(ahead.least)} and {numbers.money(ahead.most)}"
    return (
        f"{numbers.money(found.spent)} so far; likely {numbers.money(ahead.total)} by "
        f"{found.days[-1].day} {found.today:%b}, between {band} four times out of five."
    )
