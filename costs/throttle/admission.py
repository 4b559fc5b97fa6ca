"""Asks every budget that applies whether work may run now, reserves what it needs, and settles it later."""

import itertools
import logging
import os
import struct
import time
import uuid
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import Error
from django.utils import timezone

from costs.days import local_today
from costs.throttle import apart, caps, seeding, slabs
from costs.throttle.amounts import Amounts, nano
from costs.throttle.counters import PREFIX, Counters, CountersAway, StaleConnection, make_counters
from costs.throttle.decisions import waiting
from costs.throttle.plans import LONGEST_LEASE_S, Question, question_for, question_of
from costs.throttle.resets import next_reset
from costs.throttle.share import Share
from costs.throttle.verdict import PLACES, Rule, Verdict
from costs.throttle.work import Work, real_cost

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 4
PRESENT_EVERY_S: Final = 20.0
PRESENT: Final = f"{PREFIX}processes"
UNKNOWN_STATE: Final = "Neither Redis nor PostgreSQL says what is left of the budgets."
HAS_ROOM: Final = "Every budget has room."
# What quick.lua answers: the scope whose cap is closest to being full, its place, limit and what is taken.
TIGHTEST: Final = struct.Struct("<4q")
RETRY_AFTER: Final = timedelta(seconds=60)


class State:
    """What this process keeps: its connection to the counters, and its share while they are away."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._counters: Counters | None = None
        self.share = Share()
        self.name = uuid.uuid4().hex[:24]
        self.leases = itertools.count()
        self.present_at = -PRESENT_EVERY_S

    def new_lease(self) -> str:
        """Return an id that no other lease has: this process's name and a number."""
        return f"{self.name}{next(self.leases):x}"

    @property
    def counters(self) -> Counters:
        if self._counters is None:
            self._counters = make_counters()
        return self._counters


state: Final = State()
os.register_at_fork(after_in_child=state.reset)


def check_budget_and_maybe_defer(
    *,
    tier: str,
    domain: str,
    est_cpu_ms: int = 0,
    est_input_tokens: int = 0,
    est_output_tokens: int = 0,
    user_id: str | int | UUID | None = None,
    est_cost_usd: Decimal | None = None,
    model: str = "",
    may_downgrade: bool = False,
    jobs: int = 1,
    lease_s: float = LONGEST_LEASE_S,
    local_lease: bool = False,
) -> Verdict:
    """Say whether work may run now, and reserve what it needs until `settle`. Never raises into the host.

    Global and domain caps are shed tier by tier (80, 90, 100 % for three TIERS), those of a tier or a user
    hold in full. In between, work that may is told to use the smaller model. Estimates that fell short before
    are stretched by as much, and work that states none is taken for what such work usually needs.

    Args:
        tier: the actor's tier. domain: the part of the product. user_id: the actor, for caps of users.
        est_cpu_ms, est_input_tokens, est_output_tokens: what it will take at most, as far as known.
        est_cost_usd: instead of the cost that follows from those and `model`.
        may_downgrade: the work can run with a smaller model. jobs: 0 for a job that asks again in its course.
        lease_s: seconds after which a reservation that was never settled is free again, at most 300.
        local_lease: for hot paths: take a verdict from what this process reserved a moment ago.
    """
    key = (
        tier,
        domain,
        user_id,
        est_cpu_ms,
        est_input_tokens,
        est_output_tokens,
        est_cost_usd,
        model,
        may_downgrade,
        jobs,
        lease_s,
    )
    if local_lease and (verdict := slabs.slabs.take(key)):
        return verdict
    question = question_for(key)
    verdict = decide(question)
    if local_lease and verdict.action == "run" and has_plenty(verdict):
        open_slab(key, question)
    waiting.add(question.work, verdict)
    return verdict


def decide(question: Question) -> Verdict:
    """Return the counters' verdict, or while they are away that of this process's share."""
    try:
        lease, answer = ask(question)
        note_presence()
    except (CountersAway, Error, TimeoutError) as error:
        logger.warning("Budgets are decided from this process's share: %s", error)
        return decide_alone(question)
    return verdict_of(answer, question, lease)


def ask(question: Question) -> tuple[str, Any]:
    """Return a lease and the script's answer; caps and scopes that Redis lacks are brought there first.

    Each time with another lease: where a connection broke, nobody knows whether the one before was taken.
    """
    counters = state.counters
    for _ in range(ATTEMPTS):
        lease = state.new_lease()
        try:
            answer = counters.admit(lease, question.text, question.arguments)
        except StaleConnection:
            continue
        if type(answer) is bytes:
            return lease, answer
        if answer[0] == -2:
            apart.result(lambda: caps.publish(counters))
        elif answer[0] == -1:
            scopes = [question.work.scopes[place - 1][0] for place in answer[1:]]
            apart.result(partial(seeding.seed, counters, scopes, question.day))
        else:
            return lease, answer
    raise CountersAway("Redis is emptied again and again")


def verdict_of(answer: Any, question: Question, lease: str) -> Verdict:
    """Return what a script's answer says: packed numbers where all was well, else a list."""
    work = question.work
    if type(answer) is bytes:
        scope, place, limit, taken = TIGHTEST.unpack(answer)
        rule = tightest(work, scope, place, limit, taken) if scope else None
        return Verdict("run", HAS_ROOM, None, rule, lease, work.estimates)
    action, *rest = answer
    if action == 1:
        rule = tightest(work, *map(int, rest)) if rest else None
        return Verdict("run", HAS_ROOM, rule=rule, lease=lease, reserved=work.estimates)
    index, place, *amounts = (int(value) for value in rest)
    cap, limit, used, reserved, needed = amounts
    rule = Rule(work.scopes[index - 1][0], PLACES[place - 1], cap, limit, used, reserved, needed)
    if action == 2:
        reason = f"{rule.sentence()} A smaller model may do it."
        return Verdict("downgrade", reason, rule=rule, lease=lease, reserved=work.estimates)
    return Verdict("defer", rule.sentence(), release_at=next_reset(question.day, rule.window), rule=rule)


def tightest(work: Work, index: int, place: int, limit: int, taken: int) -> Rule:
    """Return the cap that comes closest to being full, before this work's reservation."""
    scope, percent = work.scopes[index - 1]
    cap = limit if percent == 100 else limit * 100 // percent
    needed = work.estimates.cost_nano if place == len(PLACES) else work.estimates.each()[place - 1]
    return Rule(scope, PLACES[place - 1], cap, limit, taken, 0, max(0, needed))


def decide_alone(question: Question) -> Verdict:
    """Return the verdict of this process's share; unknown budgets hold work back for a minute."""
    work, again_at = question.work, timezone.now() + RETRY_AFTER
    lease, rule = state.share.admit(work, question.day, lease_s=question.lease_s)
    if state.share.caps is None:
        state.share.settle(lease, Amounts())
        return Verdict("defer", UNKNOWN_STATE, release_at=again_at)
    if rule is None:
        return Verdict("run", "This process's share has room.", lease=lease, reserved=work.estimates)
    reason = f"{rule.sentence()} Redis is away, so this process has its share only."
    return Verdict("defer", reason, release_at=again_at, rule=rule)


def has_plenty(verdict: Verdict) -> bool:
    """Say whether the closest cap has room for many slabs of such work."""
    rule = verdict.rule
    if rule is None:
        return True
    return rule.limit - rule.used - rule.reserved > max(1, rule.needed) * slabs.PIECES * slabs.ROOM


def open_slab(key: object, question: Question) -> None:
    """Reserve many pieces of such work for this process."""
    lease_s = slabs.LEASE_MS / 1000
    verdict = decide(question_of(question.work, question.day, lease_s=lease_s, pieces=slabs.PIECES))
    if verdict.action == "run" and not verdict.lease.startswith("share:"):
        for over in slabs.slabs.put(key, verdict):
            settle_counters(*over)


def settle(
    verdict: Verdict,
    *,
    cpu_ms: int = 0,
    input_tokens: int = 0,
    output_tokens: int = 0,
    cached_input_tokens: int = 0,
    cost_usd: Decimal | None = None,
    model: str = "",
    ran: bool = True,
) -> None:
    """Replace what a verdict reserved by what the work really took. Once; never raises into the host.

    Args:
        verdict: what the check answered. cpu_ms, input_tokens (cached ones included), output_tokens: what
            the work took.
        cost_usd: instead of the cost that follows from those and `model`.
        ran: False gives everything back, for work that was not started after all.
    """
    if not verdict.lease:
        return
    try:
        cost = (
            nano(cost_usd)
            if cost_usd is not None
            else real_cost(
                local_today(timezone.now()),
                cpu_ms=cpu_ms,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                model=model,
                cached_tokens=cached_input_tokens,
            )
        )
    except (Error, TimeoutError):
        cost = max(0, verdict.reserved.cost_nano)
    took = Amounts(cpu_ms, verdict.reserved.jobs, input_tokens, output_tokens, cost)
    real = took.bounded() if ran else Amounts()
    if verdict.lease.startswith("share:"):
        state.share.settle(verdict.lease, real)
        return
    over = slabs.slabs.report(verdict.lease, real)
    for lease, amounts, pieces in [(verdict.lease, real, int(ran))] if over is None else over:
        settle_counters(lease, amounts, pieces)


def renew(verdict: Verdict, *, lease_s: float = LONGEST_LEASE_S) -> bool:
    """Keep a reservation for lease_s seconds more while its work runs; False where it has lapsed."""
    if not verdict.lease:
        return True
    if verdict.lease.startswith("share:"):
        return state.share.renew(verdict.lease, lease_s=lease_s)
    try:
        return bool(state.counters.run("renew", verdict.lease, int(lease_s * 1000)))
    except CountersAway:
        return True


def settle_counters(lease: str, real: Amounts, pieces: int) -> None:
    """Tell Redis; while it is away the lease lapses there and PostgreSQL's sums bring the usage."""
    try:
        state.counters.run("settle", lease, *real.each(), pieces)
    except CountersAway:
        logger.info("A lease is left to lapse, since Redis is away.")


def note_presence() -> None:
    """Tell others that this process takes part, now and then, and learn how many do."""
    now = time.monotonic()
    if now - state.present_at < PRESENT_EVERY_S:
        return
    state.present_at = now

    def write() -> int:
        seconds = time.time()
        with state.counters.client.pipeline(transaction=False) as pipe:
            pipe.zadd(PRESENT, {state.name: seconds})
            pipe.zremrangebyscore(PRESENT, "-inf", seconds - 3 * PRESENT_EVERY_S)
            pipe.zcard(PRESENT)
            return int(pipe.execute()[-1])

    state.share.processes = state.counters.ask(write)
