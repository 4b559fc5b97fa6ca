"""Admits work while Redis is away: each process its share of what PostgreSQL says is left."""

import threading
import time
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.db import DatabaseError

from costs.throttle import apart, truth
from costs.throttle.amounts import Amounts
from costs.throttle.caps import NONE, known_caps
from costs.throttle.scopes import EACH_USER, USER, Scope
from costs.throttle.verdict import PLACES, Rule
from costs.throttle.work import Work

REFRESH_S: Final = 15.0
# What this process admitted so recently may not be in PostgreSQL's sums yet.
SHIPPED_S: Final = 60.0


@dataclass(slots=True)
class Taken:
    """Work this process admitted on its own: what it needs or, once it has ended, took."""

    scopes: tuple[Scope, ...]
    amounts: Amounts
    settled_at: float | None = None


class Share:
    """This process's part of every budget."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.processes = 0
        self.caps: dict[str, tuple[int, ...]] | None = None
        self.usage: dict[Scope, truth.Usage] = {}
        self.read_at = -REFRESH_S
        self.taken: dict[str, Taken] = {}
        self.count = 0

    def admit(self, work: Work, day: date) -> tuple[str, Rule | None]:
        """Return a lease, or the rule that stands in the way with an empty one."""
        with self.lock:
            self.refresh(work, day)
            need = Amounts.of(max(0, amount) for amount in work.estimates.each())
            for scope, percent in work.scopes:
                if rule := self.refusal(scope, percent, need):
                    return "", rule
            self.count += 1
            lease = f"share:{self.count}"
            self.taken[lease] = Taken(tuple(scope for scope, _ in work.scopes), need)
            return lease, None

    def settle(self, lease: str, real: Amounts) -> None:
        """Put in what the work really took."""
        with self.lock:
            if taken := self.taken.get(lease):
                taken.amounts, taken.settled_at = real, time.monotonic()

    def refresh(self, work: Work, day: date) -> None:
        """Read caps and usage again where they are old; while PostgreSQL is away too, the last ones stay."""
        now = time.monotonic()
        missing = [scope for scope, _ in work.scopes if scope not in self.usage]
        if now - self.read_at < REFRESH_S and not missing:
            return
        try:
            self.caps, usage = apart.result(lambda: read_state([scope for scope, _ in work.scopes], day))
        except (DatabaseError, TimeoutError):
            return
        if now - self.read_at >= REFRESH_S:
            self.usage = {}
            self.taken = {lease: taken for lease, taken in self.taken.items() if not is_shipped(taken, now)}
        self.usage |= usage
        self.read_at = now

    def refusal(self, scope: Scope, percent: int, need: Amounts) -> Rule | None:
        """Return the rule by which this process's share has no room for the amounts."""
        caps = self.caps_of(scope)
        usage = self.usage.get(scope, truth.Usage(Amounts(), 0))
        mine = Amounts()
        for taken in self.taken.values():
            if scope in taken.scopes:
                mine = mine.plus(taken.amounts)
        amounts = [*need.each(), need.cost_nano]
        used = [*usage.today.each(), usage.today.cost_nano + usage.month_nano]
        own = [*mine.each(), mine.cost_nano]
        for place, cap in enumerate(caps):
            if cap == NONE:
                continue
            limit = cap * percent // 100
            share = max(0, limit - used[place]) // (self.processes or settings.BUDGET_PROCESSES)
            if cap == 0 or own[place] + max(1, amounts[place]) > share:
                return Rule(scope, PLACES[place], cap, limit, used[place], own[place], amounts[place])
        return None

    def caps_of(self, scope: Scope) -> tuple[int, ...]:
        """Return a scope's caps, those of each user for a user without any."""
        known = self.caps or {}
        own = known.get(scope.name)
        return known.get(Scope(USER, EACH_USER).name, ()) if own is None and scope.kind == USER else own or ()


def is_shipped(taken: Taken, now: float) -> bool:
    """Say whether work ended so long ago that PostgreSQL's sums hold it."""
    return taken.settled_at is not None and now - taken.settled_at > SHIPPED_S


def read_state(scopes: list[Scope], day: date) -> tuple[dict[str, tuple[int, ...]], dict[Scope, truth.Usage]]:
    """Return every budget's caps and the usage of some scopes."""
    return known_caps(), truth.rolled_usage(scopes, day)
