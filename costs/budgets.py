"""Saves budgets: checked, never over what the saver has not seen, audited, and told to every check."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from costs.models import NO_CAP, NO_CAP_USD, CostBudget
from costs.throttle import caps
from costs.throttle.admission import state
from costs.throttle.counters import CountersAway
from costs.throttle.scopes import EACH_USER, GLOBAL, KINDS, USER, Scope
from costs.throttle.verdict import PLACES as PLACES_TOLD
from healthpilot.dataqueue.actions import release_deferred
from healthpilot.dataqueue.models import Job, State
from systemstatus.audit import record_audit

logger = logging.getLogger(__name__)

COUNTS: Final = ("daily_cpu_ms_cap", "daily_jobs_cap", "llm_input_tokens_cap", "llm_output_tokens_cap")
SUMS: Final = ("daily_cost_usd_cap", "monthly_cost_usd_cap")
# More than any product uses in a day, and within what the counters hold exactly.
MOST_COUNT: Final = 9 * 10**15
MOST_USD: Final = Decimal(1_000_000)
PLACES: Final = 6


class BudgetError(Exception):
    """A budget that cannot be saved as asked; field names the input, the message how to mend it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class BudgetConflict(Exception):  # noqa: N818 - named in the public interface
    """Somebody saved this budget after the caller last saw it."""

    def __init__(self, budget: CostBudget | None) -> None:
        self.budget = budget
        told = "it was removed"
        if budget:
            told = f"{budget.updated_by} changed it at {budget.updated_at:%H:%M:%S} UTC"
        super().__init__(f"This budget is not as you saw it: {told}. Look at it again, then save.")


class BudgetInUse(Exception):  # noqa: N818 - named in the public interface
    """Work waits because of the budget that was to be removed."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        waits = "1 job waits" if jobs == 1 else f"{jobs:,} jobs wait"
        super().__init__(f"{waits} because of this budget and would run at once. Say that they may.")


@dataclass(frozen=True)
class Saved:
    """A saved budget: what it was before, and whether every check knows it already."""

    budget: CostBudget
    before: dict[str, str] | None
    is_published: bool


def save_budget(
    scope: Scope,
    limits: Mapping[str, Any],
    *,
    actor: str,
    reason: str = "",
    seen: datetime | None = None,
    must_be_seen: bool = False,
) -> Saved:
    """Make one scope's budget or change its caps; those not named stay as they are, None is no cap.

    Args:
        scope: what the budget is for. limits: caps by column name. actor: who saves, for the audit trail.
        seen: updated_at of the budget as the caller saw it, None for one that was not there.
        must_be_seen: refuse when it is not as seen.

    Raises:
        BudgetError: for an unknown scope or a cap that is none. BudgetConflict: see must_be_seen.
    """
    check_scope(scope)
    values = {name: checked_cap(name, value) for name, value in limits.items()}
    with transaction.atomic():
        budget = locked(scope)
        if must_be_seen and (budget.updated_at if budget else None) != seen:
            raise BudgetConflict(budget)
        before = as_shown(budget) if budget else None
        row, _ = CostBudget.objects.update_or_create(
            apply_scope=scope.kind,
            scope_key=scope.key,
            defaults={**values, "updated_by": actor[:80], "updated_at": to_the_millisecond(timezone.now())},
        )
        row.refresh_from_db()
        record_audit(
            actor=actor,
            action="budget.save",
            target=scope.name,
            before=before,
            after=as_shown(row),
            reason=reason,
        )
    return Saved(row, before, take_effect(scope))


def remove_budget(
    scope: Scope,
    *,
    actor: str,
    reason: str = "",
    seen: datetime | None = None,
    may_release: bool = False,
) -> bool:
    """Remove a scope's budget; returns whether every check knows.

    Args:
        seen: updated_at of the budget as the caller saw it. may_release: the work that waits for it may run.

    Raises:
        BudgetConflict: it is gone, or not as seen. BudgetInUse: work waits for it; nothing is removed.
    """
    with transaction.atomic():
        budget = locked(scope)
        if budget is None or (seen is not None and budget.updated_at != seen):
            raise BudgetConflict(budget)
        if not may_release and (jobs := held_back(scope)):
            raise BudgetInUse(jobs)
        before = as_shown(budget)
        budget.delete()
        record_audit(actor=actor, action="budget.remove", target=scope.name, before=before, reason=reason)
    return take_effect(scope)


def held_back(scope: Scope) -> int:
    """Return how many jobs wait because of a scope's budget, by the rule that each was told."""
    waiting = Job.objects.filter(state=State.DEFERRED)
    if scope.key == EACH_USER:
        own = CostBudget.objects.filter(apply_scope=USER).exclude(scope_key=EACH_USER)
        waiting = waiting.exclude(user_id__in=own.values("scope_key"))
        return waiting.filter(defer_rule__startswith=f"{USER} ").count()
    return waiting.filter(defer_rule__in=[f"{scope} {place}" for place in PLACES_TOLD]).count()


def to_the_millisecond(moment: datetime) -> datetime:
    """Cut a time as JSON does, so that what a client saw can be compared with what is stored."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def locked(scope: Scope) -> CostBudget | None:
    """Return a scope's budget, held until the caller's transaction ends, also where there is none yet."""
    caps.hold(scope.name)
    held = CostBudget.objects.select_for_update()
    return held.filter(apply_scope=scope.kind, scope_key=scope.key).first()


def take_effect(scope: Scope) -> bool:
    """Tell every check of the change, and let jobs that budgets hold back in this scope ask again."""
    is_published = publish()
    whose = {"user": "user_id"}.get(scope.kind, scope.kind)
    release_deferred(**({} if scope.kind == GLOBAL or scope.key == EACH_USER else {whose: scope.key}))
    return is_published


def publish() -> bool:
    """Tell every check; False where Redis is away, and the next comparison tells them."""
    try:
        caps.publish(state.counters)
    except CountersAway as error:
        logger.warning("Budgets are saved, but checks learn of it only when Redis is back: %s", error)
        return False
    return True


def check_scope(scope: Scope) -> None:
    """Raise BudgetError unless the scope can have a budget."""
    if scope.kind not in KINDS:
        raise BudgetError("apply_scope", f"{scope.kind!r} is no scope: choose one of {', '.join(KINDS)}.")
    if (scope.kind == GLOBAL) != (scope.key == ""):
        rule = "is empty for the global scope" if scope.kind == GLOBAL else f"names the {scope.kind}"
        raise BudgetError("scope_key", f"The scope's key {rule}.")
    if len(scope.key) > 40 or not scope.key.isprintable():
        raise BudgetError("scope_key", "The scope's key is at most 40 printable characters.")


def checked_cap(name: str, value: Any) -> int | Decimal:
    """Return a cap as it is stored; raises BudgetError for what is no cap."""
    if name in COUNTS:
        return NO_CAP if value in (None, NO_CAP) else checked_count(name, value)
    if name in SUMS:
        return NO_CAP_USD if value in (None, NO_CAP_USD) else checked_usd(name, value)
    raise BudgetError(name, f"{name!r} is no cap: choose among {', '.join((*COUNTS, *SUMS))}.")


def checked_count(name: str, value: Any) -> int:
    """Return a whole number of zero or more."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        value = int(value.strip().lstrip("0")[:20] or "0")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_COUNT:
        raise BudgetError(name, f"Write a whole number from 0 to {MOST_COUNT:,}, or nothing for no cap.")
    return value


def checked_usd(name: str, value: Any) -> Decimal:
    """Return an amount of US dollars with at most six decimals."""
    try:
        amount = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        amount = Decimal("NaN")
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or not 0 <= amount <= MOST_USD or not isinstance(exponent, int):
        raise BudgetError(name, f"Write US dollars from 0 to {MOST_USD:,}, or nothing for no cap.")
    if -exponent > PLACES:
        raise BudgetError(name, f"US dollars have at most {PLACES} decimals here.")
    return amount


def as_shown(budget: CostBudget) -> dict[str, str]:
    """Return a budget's caps as texts, as the audit trail keeps them."""
    counts = {name: getattr(budget, name) for name in COUNTS}
    sums = {name: getattr(budget, name) for name in SUMS}
    shown = {name: "no cap" if cap >= NO_CAP else str(cap) for name, cap in counts.items()}
    return shown | {name: "no cap" if cap >= NO_CAP_USD else f"{cap:f}" for name, cap in sums.items()}
