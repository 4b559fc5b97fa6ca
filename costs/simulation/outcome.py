"""What a replay comes to: how much waited, of whom, on which day, and for how long."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from costs.simulation.replay import HOUR_S, Stop

ZERO: Final = timedelta(0)


@dataclass(slots=True)
class Tally:
    """Sums of what waited: amounts times the seconds of their hour that were left, so that they are whole."""

    job_s: int = 0
    call_s: int = 0
    cost_s: int = 0
    wait_half_s: int = 0
    longest: timedelta = ZERO

    def add(self, stop: Stop, released_at: datetime) -> None:
        """Count the rest of one hour of one group."""
        demand, left = stop.demand, stop.left
        self.job_s += demand.jobs * left
        self.call_s += demand.calls * left
        self.cost_s += demand.amounts[-1] * left
        # Work comes evenly, so on average in the middle of what is left of the hour; halves keep it whole.
        mean = 2 * seconds(released_at - demand.hour) - 2 * HOUR_S + left
        self.wait_half_s += (demand.jobs + demand.calls) * left * mean
        if demand.jobs + demand.calls:
            self.longest = max(self.longest, released_at - stop.at)

    @property
    def jobs(self) -> int:
        return rounded(self.job_s)

    @property
    def calls(self) -> int:
        return rounded(self.call_s)

    @property
    def mean_wait_s(self) -> int:
        """Return how long a piece of work waits on average, in whole seconds."""
        pieces = 2 * (self.job_s + self.call_s)
        return (self.wait_half_s + pieces // 2) // pieces if pieces else 0

    def __bool__(self) -> bool:
        return bool(self.job_s or self.call_s or self.cost_s)


@dataclass(slots=True)
class DayWaiting:
    """What of one tier waited on one day, or of all users by caps of their own.

    place is that of the cap which stopped it first; users are counted for caps of each user only.
    """

    day: date
    group: str
    first_at: datetime
    released_at: datetime
    place: int
    tally: Tally
    users: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One user whose work waited: jobs and calls times the seconds of their hours that were left."""

    user_id: str
    job_s: int
    call_s: int
    first_at: datetime
    longest: timedelta

    @property
    def waited_s(self) -> int:
        return self.job_s + self.call_s

    @property
    def jobs(self) -> int:
        return rounded(self.job_s)

    @property
    def calls(self) -> int:
        return rounded(self.call_s)


class Outcome:
    """All that a replay found, day by day and in sum."""

    def __init__(self) -> None:
        self.total = Tally()
        self.days: dict[tuple[date, str], DayWaiting] = {}

    def add(self, stop: Stop, released_at: datetime) -> None:
        """Count one stop where it belongs."""
        demand = stop.demand
        of_day = self.days.setdefault(
            (demand.day, demand.group),
            DayWaiting(demand.day, demand.group, stop.at, released_at, stop.place, Tally()),
        )
        if stop.at < of_day.first_at:
            of_day.first_at, of_day.place, of_day.released_at = stop.at, stop.place, released_at
        of_day.tally.add(stop, released_at)
        self.total.add(stop, released_at)

    def as_json(self) -> list[list[Any]]:
        """Return the days as a checkpoint keeps them."""
        return [
            [
                *(line.day.isoformat(), line.group, line.first_at.isoformat(), line.released_at.isoformat()),
                *(line.place, line.users, tally.job_s, tally.call_s, tally.cost_s, tally.wait_half_s),
                seconds(tally.longest),
            ]
            for line, tally in ((line, line.tally) for line in self.days.values())
        ]

    @classmethod
    def from_json(cls, kept: Iterable[Sequence[Any]]) -> "Outcome":
        """Return what a checkpoint kept."""
        found = cls()
        for day, group, first_at, released_at, place, users, *sums, longest_s in kept:
            job_s, call_s, cost_s, wait_half_s = sums
            tally = Tally(job_s, call_s, cost_s, wait_half_s, timedelta(seconds=longest_s))
            times = (datetime.fromisoformat(first_at), datetime.fromisoformat(released_at))
            line = DayWaiting(date.fromisoformat(day), group, *times, place, tally, users)
            found.days[line.day, group] = line
        found.total = cls.summed(line.tally for line in found.days.values())
        return found

    @staticmethod
    def summed(tallies: Iterable[Tally]) -> Tally:
        """Return several tallies together."""
        whole = Tally()
        for one in tallies:
            whole.job_s += one.job_s
            whole.call_s += one.call_s
            whole.cost_s += one.cost_s
            whole.wait_half_s += one.wait_half_s
            whole.longest = max(whole.longest, one.longest)
        return whole

    @property
    def lines(self) -> list[DayWaiting]:
        """Return what waited, the newest day first."""
        found = [line for line in self.days.values() if line.tally]
        return sorted(found, key=lambda line: (-line.day.toordinal(), line.group))

    @property
    def days_with_waiting(self) -> int:
        return len({line.day for line in self.lines})


def rounded(amount_s: int) -> int:
    """Return an amount that was kept times seconds, to the nearest whole, at least 1 where there is any."""
    return max((amount_s + HOUR_S // 2) // HOUR_S, int(amount_s > 0))


def seconds(span: timedelta) -> int:
    """Return a span in whole seconds."""
    return span.days * 86_400 + span.seconds
