"""Runs a simulation: the days' demand, replayed against the caps in force and against the proposed ones."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

from costs.budget_page import no_caps
from costs.models import CostBudget
from costs.simulation import demand as reads
from costs.simulation.demand import Span
from costs.simulation.outcome import Outcome, Waiting
from costs.simulation.replay import MONTH, NO_LIMIT, Demand, Limits, Stop, replay
from costs.throttle.amounts import NANO_PLACES
from costs.throttle.caps import NONE, caps_of
from costs.throttle.resets import next_reset
from costs.throttle.scopes import EACH_USER, Scope, percent_of
from costs.throttle.truth import month_before
from healthpilot.web.pages import Cursor

Caps = Sequence[int]
Releases = Callable[[Stop], datetime]
UNCAPPED: Final[Caps] = (NONE,) * 6
# Rows of users and hours that a request may replay; what is more is a job's work.
MOST_ROWS: Final = 60_000
USER: Final = "user"


@dataclass
class Simulation:
    """What proposed caps of one scope would have done on past days, and what its caps in force would have."""

    scope: Scope
    span: Span
    current: Outcome = field(default_factory=Outcome)
    proposed: Outcome = field(default_factory=Outcome)
    stops: list[tuple[Stop, datetime]] = field(default_factory=list)
    jobs: int = 0
    calls: int = 0

    @property
    def has_usage(self) -> bool:
        return bool(self.jobs or self.calls)


def caps_from(limits: Mapping[str, Any]) -> Caps:
    """Return caps by column name as the throttle counts them; those not named are none."""
    return caps_of(CostBudget(**(no_caps() | dict(limits))))


def caps_in_force(scope: Scope) -> Caps:
    """Return what caps a scope has now."""
    budget = CostBudget.objects.filter(apply_scope=scope.kind, scope_key=scope.key).first()
    return caps_of(budget) if budget else UNCAPPED


def last_days(days: int, today: date) -> Span:
    """Return the last complete days."""
    return Span.of(today - timedelta(days=days), today - timedelta(days=1))


def simulate(scope: Scope, caps: Caps, span: Span) -> Simulation:
    """Replay a span of days against a scope's caps, and against those in force.

    The other scopes' budgets are left out. For the caps of each user see simulate_users.
    """
    found = Simulation(scope, span)
    demands = reads.shared_hours(scope, span)
    found.jobs, found.calls = sum(one.jobs for one in demands), sum(one.calls for one in demands)
    for stop, released_at in stopped(demands, scope, caps_in_force(scope), span):
        found.current.add(stop, released_at)
    for stop, released_at in stopped(demands, scope, caps, span):
        found.proposed.add(stop, released_at)
        found.stops.append((stop, released_at))
    return found


def stopped(
    demands: Sequence[Demand], scope: Scope, caps: Caps, span: Span
) -> Iterator[tuple[Stop, datetime]]:
    """Yield each stop with the instant at which its work may run."""
    if all(cap == NONE for cap in caps):
        return
    releases = releases_of()
    month_used = 0
    if caps[MONTH] != NONE and span.first_on.day > 1:
        month_used = month_before(scope, span.first_on) * 10 ** (span.places - NANO_PLACES)
    for stop in replay(demands, limits_of(scope, caps, span), first_on=span.first_on, month_used=month_used):
        yield stop, releases(stop)


def limits_of(scope: Scope, caps: Caps, span: Span) -> Limits:
    """Return what each tier may use of a scope's caps, its money in the span's units."""
    scales = (1, 1, 1, 1, 10 ** (span.places - NANO_PLACES), 10 ** (span.places - NANO_PLACES))

    @cache
    def limits(group: str) -> Sequence[int]:
        percent = percent_of(scope, group)
        return [
            NO_LIMIT if cap == NONE else cap * percent // 100 * scale
            for cap, scale in zip(caps, scales, strict=True)
        ]

    return limits


def releases_of() -> Releases:
    """Return the function that says when a stop's work may run: at the next day, or the next month."""
    reset = cache(next_reset)
    return lambda stop: reset(stop.demand.day, "month" if stop.place == MONTH else "day")


class UserReplay:
    """Replays the caps of each user, some users at a time; keeps the sums and the longest waiters only."""

    def __init__(self, caps: Caps, span: Span) -> None:
        self.found = Simulation(Scope(USER, EACH_USER), span)
        self.caps, self.in_force = caps, caps_in_force(self.found.scope)
        self.rows = 0

    def as_json(self) -> dict[str, Any]:
        """Return the sums so far as a checkpoint keeps them."""
        found = self.found
        outcomes = {"current": found.current.as_json(), "proposed": found.proposed.as_json()}
        return outcomes | {"jobs": found.jobs, "calls": found.calls}

    def go_on_from(self, kept: Mapping[str, Any]) -> None:
        """Take up the sums that a checkpoint kept."""
        self.found.current = Outcome.from_json(kept["current"])
        self.found.proposed = Outcome.from_json(kept["proposed"])
        self.found.jobs, self.found.calls = kept["jobs"], kept["calls"]

    def take(self, users: Sequence[str]) -> Iterator[Waiting]:
        """Replay users, in order of their ids, and yield those whose work would have waited."""
        for user, demands in reads.hours_of_users(users, self.found.span):
            self.rows += len(demands)
            self.found.jobs += sum(one.jobs for one in demands)
            self.found.calls += sum(one.calls for one in demands)
            own = Scope(USER, user)
            self.count(self.found.current, own, demands, self.in_force)
            if waiting := self.count(self.found.proposed, own, demands, self.caps):
                yield waiting

    def count(self, outcome: Outcome, user: Scope, demands: Sequence[Demand], caps: Caps) -> Waiting | None:
        """Add one user's stops to an outcome and return how that user waits, if so."""
        mine = Outcome()
        for stop, released_at in stopped(demands, user, caps, self.found.span):
            outcome.add(stop, released_at)
            mine.add(stop, released_at)
        if not mine.total:
            return None
        for line in mine.lines:
            outcome.days[line.day, line.group].users += 1
        first_at = min(line.first_at for line in mine.lines)
        return Waiting(user.key, mine.total.job_s, mine.total.call_s, first_at, mine.total.longest)


class TooManyRows(Exception):  # noqa: N818 - a state rather than a mistake
    """More users and hours than a request may replay."""


def simulate_users(
    caps: Caps, span: Span, *, most: int, start: Cursor | None = None
) -> tuple[Simulation, list[Waiting]]:
    """Replay the caps of each user in one go.

    Returns the simulation and the longest waiters after a cursor, or before it in reverse order; all others
    are counted and forgotten. Raises TooManyRows.
    """
    replayed, kept, after = UserReplay(caps, span), list[Waiting](), ""
    backwards = start is not None and start.backwards
    bound = (-int(start.key[0]), start.key[1]) if start else None
    first = heapq.nlargest if backwards else heapq.nsmallest
    while users := reads.users_after(after, span):
        after = users[-1]
        wanted = [
            one
            for one in replayed.take(users)
            if bound is None or (order_of(one) < bound if backwards else order_of(one) > bound)
        ]
        kept = first(most, [*kept, *wanted], key=order_of)
        if replayed.rows > MOST_ROWS:
            raise TooManyRows
    return replayed.found, kept


def order_of(waiting: Waiting) -> tuple[int, str]:
    """Return the place of a user in the list: who waits most comes first, then by id."""
    return -waiting.waited_s, waiting.user_id
