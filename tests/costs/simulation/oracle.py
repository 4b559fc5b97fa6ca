"""What a replay must find, second by second from raw events: slow, with nothing of the code under test."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.costs.oracle import cost_of

Event = Mapping[str, Any]
Amounts = dict[str, Fraction]
NAMES = ("cpu_ms", "jobs", "tokens_in", "tokens_out", "cost")


@dataclass
class Found:
    """One group's waiting on one day; pieces and money are exact."""

    first_at: datetime
    jobs: Fraction = Fraction(0)
    calls: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)
    wait_s: Fraction = Fraction(0)
    users: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))


def amounts_of(event: Event) -> Amounts:
    is_job = "cpu_ms" in event
    return {
        "cpu_ms": Fraction(event["cpu_ms"] if is_job else 0),
        "jobs": Fraction(is_job),
        "tokens_in": Fraction(0 if is_job else event["input_tokens"]),
        "tokens_out": Fraction(0 if is_job else event["output_tokens"]),
        "cost": cost_of(event, {}),
    }


@dataclass
class Limits:
    """What each group may use: amounts of a day by name of NAMES, and the month's cost."""

    of_day: Mapping[str, Mapping[str, Fraction]]
    of_month: Mapping[str, Fraction] = field(default_factory=dict)

    def reached(self, group: str, used: Amounts, month: Fraction) -> str:
        """Return which window a group's first reached limit is of, '' where it has room."""
        if group in self.of_month and month >= self.of_month[group]:
            return "month"
        day = self.of_day.get(group, {})
        return "day" if any(used[name] >= limit for name, limit in day.items()) else ""


def replayed(
    events: Iterable[Event],
    zone: str,
    *,
    group_of: Callable[[Event], str],
    limits: Limits,
    month_used: Fraction = Fraction(0),
) -> dict[tuple[date, str], Found]:
    """Step through every second of every hour that has work; a group stops where a limit is reached."""
    tz = ZoneInfo(zone)
    found: dict[tuple[date, str], Found] = {}
    used, month, today = dict.fromkeys(NAMES, Fraction(0)), month_used, None
    for hour, inside in sorted(by_hour(events, tz).items()):
        day = hour.astimezone(tz).date()
        if today and day != today:
            used = dict.fromkeys(NAMES, Fraction(0))
            month = month if day.month == today.month else Fraction(0)
        today = day
        stops, used, month = stepped(rates_of(inside, group_of), limits, used, month)
        for event in inside:
            if stop := stops.get(group_of(event)):
                released_at = release(day, tz, of_month=stop[1] == "month")
                note(found, day, hour, group_of(event), event, stop[0], released_at)
    return found


def by_hour(events: Iterable[Event], tz: ZoneInfo) -> dict[datetime, list[Event]]:
    """Return events by the local hour that they lie in."""
    hours: dict[datetime, list[Event]] = defaultdict(list)
    for event in events:
        local = event["created_at"].astimezone(tz).replace(minute=0, second=0, microsecond=0)
        hours[local.astimezone(UTC)].append(event)
    return hours


def rates_of(events: Iterable[Event], group_of: Callable[[Event], str]) -> dict[str, Amounts]:
    """Return what each group takes in a second of an hour."""
    rates: dict[str, Amounts] = defaultdict(lambda: dict.fromkeys(NAMES, Fraction(0)))
    for event in events:
        for name, amount in amounts_of(event).items():
            rates[group_of(event)][name] += amount / 3600
    return rates


def stepped(
    rates: Mapping[str, Amounts], limits: Limits, used: Amounts, month: Fraction
) -> tuple[dict[str, tuple[int, str]], Amounts, Fraction]:
    """Return at which second each group stops and why, and what is used at the hour's end."""
    stops: dict[str, tuple[int, str]] = {}
    for second in range(3600):
        for group in rates:
            if group not in stops and (window := limits.reached(group, used, month)):
                stops[group] = (second, window)
        running = [rate for group, rate in rates.items() if group not in stops]
        if running:
            used = {name: used[name] + sum(rate[name] for rate in running) for name in NAMES}
            month += sum(rate["cost"] for rate in running)
    return stops, used, month


def note(
    found: dict[tuple[date, str], Found],
    day: date,
    hour: datetime,
    group: str,
    event: Event,
    second: int,
    released_at: datetime,
) -> None:
    """Count the part of one event that waits."""
    part = Fraction(3600 - second, 3600)
    one = found.setdefault((day, group), Found(hour + timedelta(seconds=second)))
    is_job = "cpu_ms" in event
    one.jobs += part * is_job
    one.calls += part * (not is_job)
    one.cost += part * cost_of(event, {})
    middle = hour + timedelta(seconds=second) + timedelta(seconds=3600 - second) / 2
    wait_s = Fraction(released_at.timestamp()) - Fraction(middle.timestamp())
    one.wait_s += part * wait_s
    one.users[event["user_id"]] += part


def release(day: date, tz: ZoneInfo, *, of_month: bool) -> datetime:
    following = day + timedelta(days=1)
    while of_month and following.day != 1:
        following += timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=tz).astimezone(UTC)
