"""The replay itself: whole numbers only, nothing of the database.

The partials know what each group of work (a tier) took in an hour, not when in it: it is taken as spread
evenly. A group runs until the first whole second at which what has run in the window reaches its limit of any
cap; from then on all of its work waits until the window ends. What waited is not run again afterwards.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

HOUR_S: Final = 3600
DAY_PLACES: Final = 5
MONTH: Final = 5
NO_LIMIT: Final = -1
NEVER: Final = HOUR_S + 1

Limits = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Demand:
    """What one group's work took in one local hour.

    hour is the UTC instant at which it begins; amounts are CPU milliseconds, jobs, tokens in and out, cost
    in whole units.
    """

    day: date
    hour: datetime
    group: str
    jobs: int
    calls: int
    amounts: tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Stop:
    """A group's work waits from a second of an hour to the hour's end, because of the cap at a place."""

    demand: Demand
    second: int
    place: int

    @property
    def left(self) -> int:
        """Return the seconds of the hour in which the work waits."""
        return HOUR_S - self.second

    @property
    def at(self) -> datetime:
        return self.demand.hour + timedelta(seconds=self.second)


class Window:
    """What has run since the day and the month began, in 3,600ths, so that seconds divide evenly."""

    def __init__(self, day: date, month_used: int) -> None:
        self.day = day
        self.used = [0] * DAY_PLACES + [month_used * HOUR_S]

    def move_to(self, day: date) -> None:
        """Begin anew what begins with a day, or with its month."""
        if day == self.day:
            return
        month = 0 if (day.year, day.month) != (self.day.year, self.day.month) else self.used[MONTH]
        self.day, self.used = day, [0] * DAY_PLACES + [month]

    def run(self, flow: Sequence[int], seconds: int) -> None:
        """Let so many seconds of a flow (amounts an hour) run."""
        self.used = [used + amount * seconds for used, amount in zip(self.used, flow, strict=True)]

    def end(self, limits: Sequence[int], flow: Sequence[int]) -> tuple[int, int]:
        """Return after how many seconds the first limit is reached, and its place; the month's in a tie."""
        ends = [
            (seconds_until(used, limit * HOUR_S, amount), -place)
            for place, (used, limit, amount) in enumerate(zip(self.used, limits, flow, strict=True))
            if limit != NO_LIMIT
        ]
        seconds, place = min(ends, default=(NEVER, 0))
        return seconds, -place


def seconds_until(used: int, limit: int, flow: int) -> int:
    """Return the first whole second at which a limit is reached; NEVER within an hour where nothing flows."""
    if used >= limit:
        return 0
    return min(NEVER, (limit - used + flow - 1) // flow) if flow else NEVER


def replay(
    demands: Iterable[Demand], limits: Limits, *, first_on: date, month_used: int = 0
) -> Iterator[Stop]:
    """Yield each group's stop of each hour in which it has one.

    Args:
        demands: of all groups that share the caps, in order of time. first_on: the first day replayed.
        limits: each group's six limits, the last one the month's cost; NO_LIMIT where there is none.
        month_used: what was spent in its month before that day.
    """
    window = Window(first_on, month_used)
    for (day, _), hour in groupby(demands, key=lambda demand: (demand.day, demand.hour)):
        window.move_to(day)
        yield from stops_of(list(hour), limits, window)


def stops_of(hour: Sequence[Demand], limits: Limits, window: Window) -> Iterator[Stop]:
    """Yield the stops of one hour, and let run what runs in it."""
    running = {demand.group: demand for demand in hour}
    second = 0
    while running:
        sums = [sum(column) for column in zip(*(demand.amounts for demand in running.values()), strict=True)]
        flow = [*sums, sums[-1]]
        ends = {group: window.end(limits(group), flow) for group in running}
        step = min(HOUR_S - second, min(seconds for seconds, _ in ends.values()))
        window.run(flow, step)
        second += step
        if second == HOUR_S:
            return
        for group, (seconds, place) in ends.items():
            if seconds == step:
                yield Stop(running.pop(group), second, place)
