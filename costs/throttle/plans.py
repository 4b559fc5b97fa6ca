"""What of a budget check is the same each time it is asked, made once: the work and the question of it."""

import struct
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import Error

from costs.days import ONE_DAY, cost_zone, local_today, midnights
from costs.pricing import Rates
from costs.throttle.amounts import UNKNOWN, Amounts
from costs.throttle.wire import packed
from costs.throttle.work import Work, estimated, fresh_rates, work_of

MOST: Final = 4096
LONGEST_LEASE_S: Final = 300
MOST_SCOPES: Final = 4
# Lease in ms, may be downgraded, five estimates, percents of four scopes, one unused: as quick.lua reads it.
NUMBERS: Final = struct.Struct("<12d")


class Asked(NamedTuple):
    """The arguments of a check that decide which work it is about, and for how long it is let in."""

    tier: str
    domain: str
    user_id: str | int | UUID | None
    cpu_ms: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    model: str
    may_downgrade: bool
    jobs: int
    lease_s: float


class Question(NamedTuple):
    """A question that is ready to be asked; text and arguments are what Counters.admit takes."""

    work: Work
    day: date
    lease_s: float
    text: bytes
    arguments: int


class Plan(NamedTuple):
    """A question, and what it was made by."""

    question: Question
    rates: Rates | None
    tiers: Sequence[str]


class Today:
    """The local day of now, looked up again only when it is over or the zone is another."""

    def __init__(self) -> None:
        self.zone, self.begins, self.ends = "", 0.0, 0.0
        self.day = date.min

    def find(self) -> date:
        """Return the local day."""
        now = time.time()
        if not self.begins <= now < self.ends or self.zone != settings.COST_TIMEZONE:
            self.zone, zone = settings.COST_TIMEZONE, cost_zone()
            self.day = local_today(datetime.fromtimestamp(now, UTC))
            # Only between the inner midnights is it certainly this day, where one comes twice or not at all.
            self.begins = max(midnights(self.day, zone)).timestamp()
            self.ends = min(midnights(self.day + ONE_DAY, zone)).timestamp()
        return self.day


today: Final = Today()
_plans: dict[tuple[Any, ...], Plan] = {}


def question_for(key: tuple[Any, ...]) -> Question:
    """Return the question of a check, whose arguments are the key, in the order of Asked.

    Made anew where the day, the prices or the tiers are others.
    """
    day = today.find()
    try:
        rates: Rates | None = fresh_rates(day)
    except (Error, TimeoutError):
        rates = None
    plan = _plans.get(key)
    if plan and plan.rates is rates and plan.tiers is settings.TIERS and plan.question.day == day:
        return plan.question
    if len(_plans) >= MOST:
        _plans.clear()
    question = made(Asked(*key), day, rates)
    _plans[key] = Plan(question, rates, settings.TIERS)
    return question


def made(asked: Asked, day: date, rates: Rates | None) -> Question:
    """Make a question; without prices nobody knows what the work costs."""
    if rates is None:
        estimates = Amounts(asked.cpu_ms, 1, asked.input_tokens, asked.output_tokens, UNKNOWN)
    else:
        estimates = estimated(
            day,
            cpu_ms=asked.cpu_ms,
            input_tokens=asked.input_tokens,
            output_tokens=asked.output_tokens,
            cost_usd=asked.cost_usd,
            model=asked.model,
        )
    work = work_of(
        tier=asked.tier,
        domain=asked.domain,
        user_id=asked.user_id,
        estimates=replace(estimates, jobs=asked.jobs),
        may_downgrade=asked.may_downgrade,
    )
    return question_of(work, day, lease_s=min(asked.lease_s, LONGEST_LEASE_S))


def question_of(work: Work, day: date, *, lease_s: float, pieces: int = 1) -> Question:
    """Return the question for so many equal pieces of work."""
    percents = [percent for _, percent in work.scopes]
    numbers = NUMBERS.pack(
        int(lease_s * 1000),
        work.may_downgrade,
        *work.estimates.times(pieces).each(),
        *percents,
        *[0] * (MOST_SCOPES - len(percents) + 1),
    )
    names = [scope.name.encode() for scope, _ in work.scopes]
    arguments = (f"{day}".encode(), work.habit.encode(), numbers, *names)
    return Question(work, day, lease_s, packed(*arguments), len(arguments))
