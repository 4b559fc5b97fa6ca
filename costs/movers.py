"""Why the cost changed: exact differences against the period before by tier, domain, model and user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from costs import subjects
from costs.histories import bounded
from costs.ranges import DateRange
from healthpilot.web import numbers

ZERO = Decimal(0)
EACH_WAY = 4
BREAKDOWNS = ("tier", "domain", "model")
PLACES = {"tier": "in tier", "domain": "in domain", "model": "through"}


@dataclass(frozen=True)
class Mover:
    """One part's cost in both periods."""

    kind: str
    name: str
    before: Decimal
    now: Decimal

    @property
    def change(self) -> Decimal:
        return self.now - self.before

    @property
    def label(self) -> str:
        return subjects.label(self.kind, self.name)


@dataclass(frozen=True)
class Change:
    """The change by one kind of part: the largest movers both ways and the rest: they add up to the total."""

    kind: str
    before: Decimal
    now: Decimal
    movers: list[Mover]
    others: int

    @property
    def total(self) -> Decimal:
        return self.now - self.before

    @property
    def rest(self) -> Decimal:
        """What the parts that are not named changed by, together."""
        return self.total - sum((mover.change for mover in self.movers), ZERO)

    @property
    def rest_before(self) -> Decimal:
        return self.before - sum((mover.before for mover in self.movers), ZERO)

    @property
    def rest_now(self) -> Decimal:
        return self.now - sum((mover.now for mover in self.movers), ZERO)

    @property
    def widest(self) -> Decimal:
        """The largest single change in size: what the bars are measured by."""
        return max(
            (abs(change) for change in [*(one.change for one in self.movers), self.rest]), default=ZERO
        )


SUMS = """
    coalesce(sum(cost_exact) FILTER (WHERE date BETWEEN %(before_first)s AND %(before_last)s), 0) AS before,
    coalesce(sum(cost_exact) FILTER (WHERE date BETWEEN %(now_first)s AND %(now_last)s), 0) AS now"""
# The periods lie apart when the range holds today, whose day they both leave out.
PERIODS = "(date BETWEEN %(before_first)s AND %(before_last)s OR date BETWEEN %(now_first)s AND %(now_last)s)"
OF_PARTS = f"""
SELECT kind, key AS name, {SUMS} FROM cost_breakdown_daily
WHERE kind = ANY(%(kinds)s) AND {PERIODS} GROUP BY kind, key"""
OF_USERS = (
    f"SELECT 'user' AS kind, user_id AS name, {SUMS} FROM cost_user_daily WHERE {PERIODS} GROUP BY user_id"
)
LARGEST = f"""
WITH parts AS ({{parts}}), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY now - before DESC, name) AS upwards,
        row_number() OVER (PARTITION BY kind ORDER BY now - before, name) AS downwards,
        sum(before) OVER (PARTITION BY kind) AS before_all, sum(now) OVER (PARTITION BY kind) AS now_all,
        count(*) OVER (PARTITION BY kind) AS names
    FROM parts
)
SELECT kind, name, before, now, before_all, now_all, names, moves FROM (
    SELECT *, (upwards <= {EACH_WAY} AND now > before) OR (downwards <= {EACH_WAY} AND now < before) AS moves
    FROM ranked
) AS judged WHERE moves OR upwards = 1
ORDER BY kind, now - before DESC, name"""


def changes(asked: DateRange) -> dict[str, Change]:
    """Return the change by tier, domain and model, in one read."""
    return found(OF_PARTS, asked, {"kinds": list(BREAKDOWNS)})


def user_change(asked: DateRange) -> Change | None:
    """Return the change by user: it reads every user's days, so it has a time limit (TooMuchError)."""
    with bounded():
        return found(OF_USERS, asked, {}).get("user")


def found(parts: str, asked: DateRange, more: Mapping[str, Any]) -> dict[str, Change]:
    complete, previous = asked.complete_dates, asked.previous_dates
    if not complete:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LARGEST.format(parts=parts), {**periods(complete, previous), **more})
        rows = cursor.fetchall()
    kinds: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        kinds.setdefault(row[0], []).append(row)
    return {kind: change(kind, of_kind) for kind, of_kind in kinds.items()}


def periods(complete: Sequence[date], previous: Sequence[date]) -> dict[str, date]:
    return {
        "now_first": complete[0],
        "now_last": complete[-1],
        "before_first": previous[0],
        "before_last": previous[-1],
    }


def change(kind: str, rows: Sequence[tuple[Any, ...]]) -> Change:
    """Return the change of one kind, the largest mover first, whichever way it went.

    A row that is no mover is only there for the sums beside it.
    """
    movers = sorted((Mover(*row[:4]) for row in rows if row[7]), key=lambda one: -abs(one.change))
    before, now, names = rows[0][4:7]
    return Change(kind, before, now, movers, names - len(movers))


def sentence(by: Mapping[str, Change]) -> str:
    """Return why the cost changed in one sentence: by how much, and the largest mover of each kind."""
    first = next(iter(by.values()), None)
    if first is None:
        return "No complete day has a cost to compare."
    total = first.total
    if not first.before:
        return f"{numbers.money(first.now)} where nothing was spent the period before: all of it is new."
    if not total:
        return f"Exactly as much as the period before: {numbers.money(first.now)}."
    share = numbers.percent(abs(total) * 100 / first.before)
    size = f"{numbers.money(abs(total))} {'more' if total > 0 else 'less'} than the period before ({share})"
    causes = [cause for kind in BREAKDOWNS if (cause := leading(by.get(kind), rises=total > 0))]
    return f"{size}{', mostly ' + ', '.join(causes) if causes else ''}."


def leading(change: Change | None, *, rises: bool) -> str:
    """Return the part that moved most in the direction of the whole, with its own change."""
    movers = [mover for mover in (change.movers if change else []) if (mover.change > 0) is rises]
    if not movers:
        return ""
    largest = max(movers, key=lambda mover: abs(mover.change))
    return f"{PLACES[largest.kind]} {largest.label} ({signed(largest.change)})"


def signed(amount: Decimal) -> str:
    """Return money with its sign written out."""
    return f"+{numbers.money(amount)}" if amount > 0 else numbers.money(amount)
