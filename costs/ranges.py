"""A range of local days: which of them are complete, what came before, how it is said."""

from dataclasses import dataclass
from datetime import date, timedelta

from costs.models import RANGE_DAYS

DEFAULT_DAYS = 30
MAX_DAYS = 366
# Nothing was recorded before, and the days before a range exist as well.
FIRST_DAY = date(2000, 1, 1)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DateRange:
    """Local days of COST_TIMEZONE from first_on to last_on, both included; today is never complete."""

    first_on: date
    last_on: date
    today: date

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    @property
    def preset(self) -> int | None:
        """The N of 'the N days that end today', where a window table keeps the sums of users."""
        return self.days if self.last_on == self.today and self.days in RANGE_DAYS else None

    @property
    def has_today(self) -> bool:
        return self.first_on <= self.today <= self.last_on

    @property
    def dates(self) -> list[date]:
        return [self.first_on + index * ONE_DAY for index in range(self.days)]

    @property
    def complete_dates(self) -> list[date]:
        return [day for day in self.dates if day < self.today]

    @property
    def previous_dates(self) -> list[date]:
        """The complete days shifted back by the whole range: as many, and for weeks the same weekdays."""
        return [day - self.days * ONE_DAY for day in self.complete_dates]

    @property
    def query(self) -> str:
        """The range as a query string; a preset stays relative to today."""
        return f"days={self.preset}" if self.preset else self.frozen_query

    @property
    def frozen_query(self) -> str:
        """The range as the days it holds now, for a link that must show the same days tomorrow."""
        return f"from={self.first_on}&to={self.last_on}"

    @property
    def scope(self) -> str:
        """What a cursor is signed for: these very days, or any as many days as a preset has.

        So a list goes on over midnight, and a link that froze a preset's days keeps its place in the list.
        """
        return f"days:{self.days}" if self.days in RANGE_DAYS else f"{self.first_on}:{self.last_on}"


def ending_today(days: int, today: date) -> DateRange:
    return DateRange(today - (days - 1) * ONE_DAY, today, today)


def spoken(first_on: date, last_on: date) -> str:
    """Return '18 Oct – 16 Nov 2026', with the first year only where it differs, or the single day."""
    last = f"{last_on.day} {last_on:%b %Y}"
    if first_on == last_on:
        return last
    if first_on.year != last_on.year:
        return f"{first_on.day} {first_on:%b %Y} – {last}"
    if first_on.month != last_on.month:
        return f"{first_on.day} {first_on:%b} – {last}"
    return f"{first_on.day}–{last}"
