"""Brings the counters to what PostgreSQL has: at once where there are none, near it where they drifted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Min
from django.utils import timezone

from costs.days import local_today
from costs.models import CostBudget, CostDay
from costs.throttle import caps, truth
from costs.throttle.amounts import Amounts
from costs.throttle.counters import PREFIX, Counters
from costs.throttle.scopes import USER, Scope
from telemetry.models import Shipment

KEEP_S: Final = 3 * 86_400
# Usage that was settled this recently may not be in the rolled-up tables yet.
ON_ITS_WAY_MIN: Final = 5
# Users without a budget of their own who are compared in one turn.
MOST_USERS: Final = 2_000
ONE_MINUTE: Final = timedelta(minutes=1)


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
    truth.fold()
    for scope in missing:
        bring(counters, scope, day, truth.exact_usage(scope, day), begin=True)


def synchronise(counters: Counters) -> list[Drift]:
    """Publish the caps, give lapsed leases back and compare every capped scope with PostgreSQL.

    Returns what had drifted. Raises CountersAway, django.db.Error.
    """
    now = timezone.now()
    day = local_today(now)
    caps.publish(counters)
    scopes = caps.capped_scopes(CostBudget.objects.all())
    found = compared(counters, scopes, day)
    found += compared(counters, counted_users(counters, day, without=scopes), day)
    return [drift for drift in found if drift.counted != drift.truth]


def compared(counters: Counters, scopes: Sequence[Scope], day: date) -> list[Drift]:
    """Bring the counters of scopes that are counted near what PostgreSQL has."""
    behind = minutes_behind(timezone.now(), day)  # asked first: what is read after it is no older
    usage = truth.rolled_usage(scopes, day)
    return [bring(counters, scope, day, usage[scope], begin=False, behind=behind) for scope in scopes]


def counted_users(counters: Counters, day: date, *, without: Sequence[Scope]) -> list[Scope]:
    """Return users who are counted by the budget of each user: all within a few minutes, MOST_USERS a time.

    Where the last time ended lies in Redis, for each minute another process may ask.
    """
    key, own = f"{PREFIX}{day}", set(without)
    client: Any = counters.client

    def look() -> set[bytes]:
        place, found = int(client.get(f"{key}:users") or 0), set[bytes]()
        while len(found) < MOST_USERS:
            place, some = client.hscan(key, cursor=place, match=f"{USER}:*", count=MOST_USERS)
            found |= set(some)
            if not place:
                break
        client.set(f"{key}:users", place, ex=KEEP_S)
        return found

    scopes = (Scope(USER, name.decode().removeprefix(f"{USER}:")) for name in counters.ask(look))
    return [scope for scope in scopes if scope not in own]


def minutes_behind(now: datetime, day: date) -> int:
    """Return for how many minutes usage has waited already to be folded or rolled up."""
    changed = CostDay.objects.filter(date=day).values_list("dirty_at", flat=True).first()
    shipped = Shipment.objects.aggregate(at=Min("shipped_at"))["at"]
    oldest = min(filter(None, (changed, shipped)), default=now)
    return max(0, math.ceil((now - oldest) / ONE_MINUTE))


def bring(
    counters: Counters, scope: Scope, day: date, usage: truth.Usage, *, begin: bool, behind: int = 0
) -> Drift:
    """Bring a scope's counters to its usage and return how far they were off.

    A scope that is not counted yet is begun with, or left to be counted exactly at its next check.
    behind: minutes by which the usage may lack more than it usually does.
    """
    values = [*usage.today.each(), usage.month_nano, KEEP_S, ON_ITS_WAY_MIN + behind, int(begin)]
    before = counters.run("seed", f"{day}", scope.name, *values)
    counted = Amounts.of(int(amount) for amount in before) if before else usage.today
    return Drift(scope, counted, usage.today)
