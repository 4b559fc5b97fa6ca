"""P6: the nightly close of a day from its partials, against DuckDB summing the raw columns in memory."""

import itertools
from datetime import date, timedelta

from django.conf import settings

from benchmarks import days
from benchmarks.database import COSTS, PARTIALS, empty, tidy, value
from benchmarks.duck import RawDay
from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Pairs, alternate
from costs.rollup import rollup_costs_for_date
from costs.usage import fold_pending

FIRST_WRITES = 3
USERS = "SELECT count(*) FROM cost_user_daily WHERE date = %s"
# No seed comes twice, so each run brings other events than the one before.
turns = itertools.count(1)


def measure(bench: Bench) -> Measurement:
    """Close the day as in operation: refreshed until midnight, the last events folded and not yet priced."""
    day = days.large_day(bench)
    rollup_costs_for_date(day, from_raw=True)
    peer = RawDay(day)
    first = first_writes(day, peer)
    tidy(*PARTIALS, *COSTS)
    changed: list[int] = []
    close = alternate(
        lambda: changed.append(rollup_costs_for_date(day).changed_users),
        peer.group_by,
        runs=bench.sizes.runs,
        before=lambda: add_last_refresh(bench, day),
    )
    users = f"{max(changed):,} of {value(USERS, [day]):,} users changed"
    note = f"{milliseconds(close)}, {users}; {describe(day, first, peer)}"
    return Measurement(close.cost, bench.sizes.runs, note)


def first_writes(day: date, peer: RawDay) -> Pairs:
    """Time the rollup when no cost row of the day exists yet."""
    return alternate(
        lambda: rollup_costs_for_date(day), peer.group_by, runs=FIRST_WRITES, before=lambda: empty(*COSTS)
    )


def add_last_refresh(bench: Bench, day: date) -> None:
    """Store and fold what arrives between the last refresh and midnight."""
    days.add_last_stretch(bench, day, timedelta(seconds=settings.COST_REFRESH_S), seed=1 / (1 + next(turns)))
    fold_pending()


def describe(day: date, first: Pairs, peer: RawDay) -> str:
    """Return what the first write of the day's rows takes, and how much there is to sum."""
    partials = value("SELECT count(*) FROM usage_daily WHERE day = %s", [day])
    return (
        f"first write of all users {first.cost.median:.2f} ({milliseconds(first)}); "
        f"{partials:,} day partials, {peer.groups():,} groups in DuckDB"
    )


def milliseconds(pairs: Pairs) -> str:
    """Return both medians."""
    return f"{1000 * pairs.ours.median:,.0f} ms against {1000 * pairs.peer.median:,.0f} ms"
