"""Admits work while Redis is away: each process its share of what PostgreSQL says is left."""

import threading
import time
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.db import Error

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
    """Work this process admitted on its own: what it needs or, once it has ended, took.

    lapses_at: when work that never reported back gives its share back, on the clock of time.monotonic.
    """

    scopes: tuple[Scope, ...]
    amounts: Amounts
    lapses_at: float
    settled_at: float | None = None

    def is_over(self, now: float) -> bool:
        """Say whether it lapsed, or ended so long ago that PostgreSQL's sums hold it."""
        if self.settled_at is None:
            return now >= self.lapses_at
        return now - self.settled_at > SHIPPED_S


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

    def admit(self, work: Work, day: date, *, lease_s: float) -> tuple[str, Rule | None]:
        """Return a lease for lease_s seconds, or the rule that stands in the way with an empty one."""
        with self.lock:
            self.refresh(work, day)
            lapses_at = time.monotonic() + lease_s
            need = Amounts.of(max(0, amount) for amount in work.estimates.each())
            for scope, percent in work.scopes:
                if rule := self.refusal(scope, percent, need):
                    return "", rule
            self.count += 1
            lease = f"share:{self.count}"
            self.taken[lease] = Taken(tuple(scope for scope, _ in work.scopes), need, lapses_at)
            return lease, None

    def renew(self, lease: str, *, lease_s: float) -> bool:
        """Keep work's part for lease_s seconds more; False where it has lapsed."""
        with self.lock:
            taken, now = self.taken.get(lease), time.monotonic()
            if taken is None or taken.settled_at is not None or now >= taken.lapses_at:
                return False
            taken.lapses_at = now + lease_s
            return True

    def settle(self, lease: str, real: Amounts) -> None:
        """Put in what the work really took."""
        with self.lock:
            if taken := self.taken.get(lease):
                taken.amounts, taken.settled_at = real, time.monotonic()

    def refresh(self, work: Work, day: date) -> None:
        """Read caps and usage again where they are old; while PostgreSQL is away too, the last ones stay."""
        now = time.monotonic()
        is_old = now - self.read_at >= REFRESH_S
        scopes = [scope for scope, _ in work.scopes if is_old or scope not in self.usage]
        if not scopes:
            return
        try:
            self.caps, usage = apart.result(lambda: read_state(scopes, day, fold=is_old))
        except (Error, TimeoutError):
            return
        if is_old:
            self.usage, self.read_at = {}, now
            self.taken = {lease: taken for lease, taken in self.taken.items() if not taken.is_over(now)}
        self.usage |= usage

    def refusal(self, scope: Scope, percent: int, need: Amounts) -> Rule | None:
        """Return the rule by which this process's share has no room for the amounts."""
        caps = self.caps_of(scope)
        usage = self.usage.get(scope, truth.Usage(Amounts(), 0))
        mine, now = Amounts(), time.monotonic()
        for taken in self.taken.values():
            if scope in taken.scopes and (taken.settled_at is not None or now < taken.lapses_at):
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


def read_state(
    scopes: list[Scope], day: date, *, fold: bool
) -> tuple[dict[str, tuple[int, ...]], dict[Scope, truth.Usage]]:
    """Return every budget's caps and the usage of some scopes, to the last row that was shipped.

    Nothing folds or rolls up by itself meanwhile, since the worker hears its ticks through Redis.
    """
    if fold:
        truth.fold()
    return known_caps(), {scope: truth.exact_usage(scope, day) for scope in scopes}
