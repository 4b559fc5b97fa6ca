"""Rolls up one local day in one transaction: compute from the partials, compare, replace."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db import DatabaseError, DataError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from costs import windows
from costs.days import close_due_at, cost_zone, day_bounds, local_today
from costs.pricing import EXACT, MICRO_PLACES, Rates, round_usd
from costs.rollup import lease, statements
from costs.rollup.rates import Weights, constants_of, kept_rates, rates_on
from costs.rollup.result import Cost, DayCost
from costs.usage import check_zone, fold_pending, has_raw_rows_gone, rebuild_day_from_raw
from costs.usage.lock import is_lock_timeout

Check = Callable[[date], None]
OUT_OF_RANGE = "22003"
TEMPORARY = ("rollup_users", "rollup_parts", "rollup_changes", "rollup_breakdown")


class FutureDay(Exception):  # noqa: N818 - named in the public interface
    """A day that has not begun where costs are counted."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day} is in the future: the newest day is {local_today(datetime.now(UTC))}.")


def rollup_costs_for_date(
    day: date,
    *,
    from_raw: bool = False,
    dry_run: bool = False,
    reprice: Check | None = None,
    folds: bool = True,
) -> DayCost:
    """Make the cost rows of one local day equal to its usage × prices; again and again gives the same rows.

    Rows that are stored but not yet in the usage partials are folded first. A closed day keeps the prices it
    was closed with unless reprice is given.

    Args:
        day: a local day of COST_TIMEZONE, today at the latest.
        from_raw: rebuild the day's partials from raw rows first.
        dry_run: compute and roll back.
        reprice: price by what is in effect for the day now; called first in the transaction that holds the
            day, so that it can refuse by raising.
        folds: False where the caller folded a moment ago, and would hold the partials until its own
            transaction ends; rows that came since mark the day, and are added as late ones are.

    Raises:
        FutureDay: when the day has not begun.
        RollupBusy: when another process rolls it up.
        LeaseLost: when another process took it over meanwhile; nothing is written then.
        RawRowsGone: from_raw, and retention dropped raw rows of the day.
        ZoneChanged, FoldBusy: see costs.usage.
    """
    now = datetime.now(UTC)
    if day > local_today(now):
        raise FutureDay(day)
    check_zone()
    windows.advance(local_today(now))
    if folds:
        fold_pending(leaving=day_bounds(day, cost_zone()) if from_raw else None)
    held = lease.claim(day)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if from_raw:
                rebuild_day_from_raw(day)
            lease.hold(cursor, held)
            if reprice:
                reprice(day)
            rates = rates_on(day) if reprice else kept_rates(day)
            cost = write_day(cursor, day, rates)
            finish(cursor, day, rates, is_due=close_due_at(day, cost_zone()) <= now)
            transaction.set_rollback(dry_run)
    except BaseException as error:
        give_back(held)
        if isinstance(error, OperationalError) and is_lock_timeout(error):
            raise lease.RollupBusy(day) from error
        raise
    if dry_run:
        lease.release(held)
    return cost


def finish(cursor: CursorWrapper, day: date, rates: Rates, *, is_due: bool) -> None:
    """Note that the day is rolled up, and with which constants."""
    constants = orjson.dumps(constants_of(rates)).decode()
    cursor.execute(statements.FINISH, {"day": day, "is_due": is_due, "constants": constants})


def give_back(held: lease.Lease) -> None:
    """Release the lease after a failure, where the connection still allows it."""
    try:
        lease.release(held)
    except DatabaseError:
        connection.close()  # The server lets go of a lease whose process is gone.


@dataclass(frozen=True)
class Totals:
    """The day's sums over everything."""

    users: int
    sums: dict[str, int]
    money: dict[str, Decimal]
    cost_usd: Decimal
    cost_exact: Decimal


def write_day(cursor: CursorWrapper, day: date, rates: Rates) -> DayCost:
    """Compute the day and replace what differs, in the caller's transaction, which holds the day."""
    for name in TEMPORARY:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
    weights = Weights.of(rates)
    sum_usage(cursor, day, weights)
    totals = read_totals(cursor, weights)
    if not totals.users and has_raw_rows_gone(day):
        return kept_cost(cursor, day)
    values = share_values(day, weights, totals)
    changed = replace_users(cursor, values)
    windows.apply_changes(cursor, day)
    tiers = replace_breakdown(cursor, values)
    replace_global(cursor, day, totals, tiers)
    return DayCost(day, totals.users, cost_of(totals), tiers, changed)


def sum_usage(cursor: CursorWrapper, day: date, weights: Weights) -> None:
    """Sum the partials per user and per tier, domain and model: in bigint, else in numeric."""
    values = {"day": day, **weights.parameters()}
    for whole in statements.WHOLE_TYPES:
        try:
            with transaction.atomic():
                cursor.execute(statements.USERS.format(**whole), values)
                cursor.execute(statements.PARTS.format(**whole), values)
            break
        except DataError as error:
            if getattr(error.__cause__, "sqlstate", None) != OUT_OF_RANGE or whole["whole"] == "numeric":
                raise
    cursor.execute(statements.LAST_TIERS, values)


def read_totals(cursor: CursorWrapper, weights: Weights) -> Totals:
    """Return the day's sums; the exact cost is rounded once, here."""
    cursor.execute(statements.TOTALS)
    users, units, *rest = cursor.fetchone()
    money = [weights.usd(amount) for amount in rest[: len(statements.MONEY_EXACT)]]
    sums = rest[len(statements.MONEY_EXACT) :]
    exact = weights.usd(units)
    return Totals(
        users,
        dict(zip(statements.GLOBAL_SUMS, sums, strict=True)),
        dict(zip(statements.MONEY_EXACT, money, strict=True)),
        round_usd(exact),
        exact,
    )


def share_values(day: date, weights: Weights, totals: Totals) -> dict[str, Any]:
    """Return the parameters that the apportioning statements share."""
    return {
        "day": day,
        "unit": 10 ** (weights.places - MICRO_PLACES),
        "scale": format(EXACT.scaleb(Decimal(1), -weights.places), "f"),
        "micros": int(EXACT.scaleb(totals.cost_usd, MICRO_PLACES)),
    }


def replace_users(cursor: CursorWrapper, values: dict[str, Any]) -> int:
    """Replace the users' rows that differ and return how many; rollup_changes then says what changed."""
    cursor.execute(statements.USER_CHANGES, values)
    changed = int(cursor.rowcount)
    if changed:
        cursor.execute(statements.DELETE_USERS, values)
        cursor.execute(statements.UPSERT_USERS, values)
    return changed


def replace_breakdown(cursor: CursorWrapper, values: dict[str, Any]) -> dict[str, Cost]:
    """Replace the rows by tier, domain and model that differ; return the tiers."""
    for sql in (statements.FRESH_BREAKDOWN, statements.DELETE_BREAKDOWN, statements.UPSERT_BREAKDOWN):
        cursor.execute(sql, values)
    cursor.execute(statements.TIERS)
    return {tier: Cost(*sums) for tier, *sums in cursor.fetchall()}


def replace_global(cursor: CursorWrapper, day: date, totals: Totals, tiers: dict[str, Cost]) -> None:
    """Replace the day's global row if it differs."""
    breakdown = orjson.dumps({tier: cost.as_json() for tier, cost in tiers.items()}).decode()
    values: dict[str, Any] = {
        "day": day,
        "users": totals.users,
        **totals.sums,
        **totals.money,
        "tier_breakdown_json": breakdown,
    }
    cursor.execute(
        statements.UPSERT_GLOBAL, {**values, "cost_usd": totals.cost_usd, "cost_exact": totals.cost_exact}
    )


def cost_of(totals: Totals) -> Cost:
    """Return the day's total."""
    names = ("jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out")
    return Cost(
        **{name: totals.sums[name] for name in names}, cost_usd=totals.cost_usd, cost_exact=totals.cost_exact
    )


def kept_cost(cursor: CursorWrapper, day: date) -> DayCost:
    """Return what is kept of a day that has neither partials nor raw rows any more: it is left as it is."""
    columns = ", ".join((*statements.USER_SUMS, "cost_usd", "cost_exact"))
    cursor.execute(f"SELECT users, {columns} FROM cost_global_daily WHERE date = %s", [day])
    users, *sums = cursor.fetchone() or (0, *[0] * len(statements.USER_SUMS), Decimal(0), Decimal(0))
    cursor.execute(
        f"SELECT key, {columns} FROM cost_breakdown_daily WHERE date = %s AND kind = 'tier' ORDER BY key",
        [day],
    )
    tiers = {tier: Cost(*shares) for tier, *shares in cursor.fetchall()}
    return DayCost(day, users, Cost(*sums), tiers, changed_users=0)
