"""Brings the counters to what PostgreSQL has: at once where there are none, near it where they drifted."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils import timezone

from costs.days import local_today
from costs.models import CostBudget
from costs.throttle import caps, truth
from costs.throttle.amounts import Amounts
from costs.throttle.counters import Counters
from costs.throttle.scopes import Scope
from costs.usage import UsageError, fold_pending

logger = logging.getLogger(__name__)

KEEP_S: Final = 3 * 86_400
# Usage that was settled this recently may not be in the rolled-up tables yet.
ON_ITS_WAY_MIN: Final = 5
FOLD_WAIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a scope's counters were from PostgreSQL when they were compared."""

    scope: Scope
    counted: Amounts
    truth: Amounts


def seed(counters: Counters, scopes: Sequence[Scope], day: date) -> None:
    """Begin to count scopes on a day with what they used so far, rows just stored included.

    Many may ask for the same scopes at once: whoever comes after the first finds them counted.
    Where somebody else began meanwhile nothing is lost: the script keeps what was settled there since.
    Raises CountersAway, django.db.Error.
    """
    missing = [scope for scope in scopes if counters.of(f"{day}", scope.name) is None]
    if not missing:
        return
    try:
        fold_pending(wait_s=FOLD_WAIT_S)
    except UsageError as error:
        logger.info("Counting from usage that is not folded to the last row: %s", error)
    for scope in missing:
        bring(counters, scope, day, truth.exact_usage(scope, day), begin=True)


def synchronise(counters: Counters) -> list[Drift]:
    """Publish the caps, give lapsed leases back and compare every capped scope with PostgreSQL.

    Returns what had drifted. Raises CountersAway, django.db.Error.
    """
    day = local_today(timezone.now())
    caps.publish(counters)
    scopes = caps.capped_scopes(CostBudget.objects.all())
    usage = truth.rolled_usage(scopes, day)
    found = [bring(counters, scope, day, usage[scope], begin=False) for scope in scopes]
    return [drift for drift in found if drift.counted != drift.truth]


def bring(counters: Counters, scope: Scope, day: date, usage: truth.Usage, *, begin: bool) -> Drift:
    """Bring a scope's counters to its usage and return how far they were off.

    A scope that is not counted yet is begun with, or left to be counted exactly at its next check.
    """
    values = [*usage.today.each(), usage.month_nano, KEEP_S, ON_ITS_WAY_MIN, int(begin)]
    before = counters.run("seed", f"{day}", scope.name, *values)
    counted = Amounts.of(int(amount) for amount in before) if before else usage.today
    return Drift(scope, counted, usage.today)
