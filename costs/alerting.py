"""The rules on costs: caps that fill up, months that will pass them, odd users, what is missing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Max, Q, Sum
from django.utils import timezone

from costs import budget_queries
from costs.budget_page import CAPS, PLACES, Cap, current, percent, title, usage_by
from costs.days import local_today
from costs.forecast import HISTORY_DAYS, month_of, project
from costs.hours import share_by_now
from costs.marks import median
from costs.models import NO_CAP_USD, CostBreakdownDaily, CostBudget, CostDay, CostSettings, CostUserDaily
from costs.ranges import ONE_DAY
from costs.throttle import truth
from costs.throttle.caps import NONE, caps_of, scope_of
from costs.throttle.scopes import EACH_USER, GLOBAL, USER, Scope
from healthpilot.web import numbers
from systemstatus.findings import Finding, Level
from systemstatus.registry import CheckState, Reading
from systemstatus.thresholds import BY_ID

BUDGETS: Final = "cost_budgets"
ROLLUP: Final = "rollup"
NOTICED: Final = 50
MOST_BUDGETS: Final = 2000
# Each with a cap on the month takes a query of its own.
MOST_FORECASTS: Final = 200
MOST_USERS: Final = 50
# A user is odd whose day costs five times the median of at least a week of days, and a dollar or more.
ODD_TIMES: Final = 5
ODD_LEAST_USD: Final = Decimal(1)
FEWEST_DAYS: Final = 7
ZERO: Final = Decimal(0)


def findings(now: datetime) -> Iterator[Finding]:
    """Yield what every rule on costs finds now; what is well is left out."""
    today = local_today(now)
    budgets = budget_queries.first(MOST_BUDGETS)
    yield from caps(budgets, today)
    yield from forecasts(budgets[:MOST_FORECASTS], today)
    yield from odd_users(today)
    yield from unpriced(today)
    yield from rollup_age(now)


def caps(budgets: Sequence[CostBudget], today: date) -> Iterator[Finding]:
    """Yield each cap that is used to 50, 80 or 100 %; only those on everything become critical."""
    for budget, one, cap, share in shares(budgets, today):
        if share >= NOTICED:
            yield filled(one, cap, budget, share)


def shares(budgets: Sequence[CostBudget], today: date) -> Iterator[tuple[CostBudget, Scope, Cap, int]]:
    """Yield for each cap how much of it is used, in percent; of each user's budget those who used half."""
    usage = usage_by([scope_of(budget) for budget in budgets], today)
    for budget in budgets:
        limits, scope = caps_of(budget), scope_of(budget)
        users = [Scope(USER, user_id) for user_id in near_users(limits, today)] if is_each(scope) else []
        for one, used in (usage_by(users, today) if is_each(scope) else {scope: usage[scope]}).items():
            for cap in CAPS:
                share = percent(used[PLACES[cap.name]], limits[PLACES[cap.name]])
                if share is not None and limits[PLACES[cap.name]] > 0:
                    yield budget, one, cap, share


def is_each(scope: Scope) -> bool:
    return scope.key == EACH_USER


def near_users(limits: Sequence[int], today: date) -> Iterable[str]:
    """Return up to 50 users without a budget of their own that used half of a daily cap or more."""
    columns = (*truth.SUMS[:4], "cost_exact")
    near = Q()
    for column, limit in zip(columns, limits, strict=False):
        if limit not in {NONE, 0}:
            half = Decimal(limit) / 2
            near |= Q(**{f"{column}__gte": half.scaleb(-9) if column == "cost_exact" else int(half)})
    if not near:
        return []
    own = CostBudget.objects.filter(apply_scope=USER).values("scope_key")
    rows = CostUserDaily.objects.filter(near, date=today).exclude(user_id__in=own)
    return rows.order_by("-cost_exact", "user_id").values_list("user_id", flat=True)[:MOST_USERS]


def filled(scope: Scope, cap: Cap, budget: CostBudget, share: int) -> Finding:
    """Return the finding for a cap that fills up."""
    warning, critical = BY_ID["cost.budget"].limits()
    level = Level.CRITICAL if share >= critical else Level.WARNING if share >= warning else Level.INFO
    limit = current(cap, getattr(budget, cap.name))
    return Finding(
        rule="cost.budget",
        module=BUDGETS,
        target=f"{scope.name.rstrip(':')}: {cap.name}",
        level=level,
        value=share,
        unit="%",
        message=f"{title(scope)} has used {share} % of its cap on {cap.label.lower()}, {limit}.",
        core=scope.kind == GLOBAL,
    )


def forecasts(budgets: Sequence[CostBudget], today: date) -> Iterator[Finding]:
    """Yield each month's cap that will likely be passed before the month ends."""
    done_share = share_by_now(today) if budgets else None
    for budget in budgets:
        cap, scope = budget.monthly_cost_usd_cap, scope_of(budget)
        if not 0 < cap < NO_CAP_USD or scope.key == EACH_USER:
            continue
        costs = daily_costs(scope, today)
        began_on = min((day for day, cost in costs.items() if cost), default=today)
        ahead = project(costs, today, began_on=began_on, done_share=done_share)
        if ahead and ahead.spent < cap < ahead.total:
            last = month_of(today)[-1]
            yield Finding(
                rule="cost.forecast",
                module=BUDGETS,
                target=scope.name.rstrip(":"),
                level=Level.WARNING,
                value=ahead.total,
                unit="USD",
                message=f"{title(scope)} will likely cost {numbers.money(ahead.total)} by {last:%d %b},"
                f" more than the month's cap of {numbers.money(cap)}.",
                core=False,
            )


def daily_costs(scope: Scope, today: date) -> dict[date, Decimal]:
    """Return a scope's cost of every day that an estimate of this month stands on, zeros included."""
    first = min(today.replace(day=1), today - HISTORY_DAYS * ONE_DAY)
    days = {first + offset * ONE_DAY: ZERO for offset in range((today - first).days + 1)}
    rows = truth.rows_of(scope).filter(date__range=(first, today)).values_list("date", "cost_exact")
    return days | dict(rows)


def odd_users(today: date) -> Iterator[Finding]:
    """Yield users, of the 50 dearest of today, whose day costs far more than their days do."""
    dearest = CostUserDaily.objects.filter(date=today, cost_exact__gte=ODD_LEAST_USD)
    costs = dict(dearest.order_by("-cost_exact", "user_id").values_list("user_id", "cost_exact")[:MOST_USERS])
    before: dict[str, list[Decimal]] = {user_id: [] for user_id in costs}
    since = today - HISTORY_DAYS * ONE_DAY
    rows = CostUserDaily.objects.filter(user_id__in=list(costs), date__gte=since, date__lt=today)
    for user_id, cost in rows.values_list("user_id", "cost_exact"):
        before[user_id].append(cost)
    for user_id, cost in costs.items():
        usual = median(before[user_id]) if len(before[user_id]) >= FEWEST_DAYS else None
        if usual and cost >= usual * ODD_TIMES:
            yield Finding(
                rule="cost.anomaly",
                module=BUDGETS,
                target=user_id,
                level=Level.WARNING,
                value=cost,
                unit="USD",
                message=f"User {user_id} cost {numbers.money(cost)} today;"
                f" a usual day is {numbers.money(usual)}.",
                core=False,
            )


def unpriced(today: date) -> Iterator[Finding]:
    """Yield the models that were called today or yesterday without a price: the constants stood in."""
    rows = CostBreakdownDaily.objects.filter(kind="model", date__gte=today - ONE_DAY, unpriced_calls__gt=0)
    sums = rows.values_list("key").annotate(calls=Sum("unpriced_calls")).order_by("-calls", "key")
    for model, calls in sums[:MOST_USERS]:
        yield Finding(
            rule="cost.unpriced",
            module=BUDGETS,
            target=model,
            level=Level.WARNING,
            value=float(calls),
            unit="calls",
            message=f"{calls:,} calls of {model} have no price and count at default rates. Set a price.",
            core=False,
        )


def hours_since_close(now: datetime) -> float | None:
    """Return the hours since the last close of a day; a fresh installation counts from its start."""
    closed: datetime | None = CostDay.objects.aggregate(at=Max("closed_at"))["at"]
    began = CostSettings.objects.values_list("created_at", flat=True).first()
    since = closed or began
    return None if since is None else (now - since) / timedelta(hours=1)


def rollup_age(now: datetime) -> Iterator[Finding]:
    """Yield when the last close of a day lies too far back."""
    hours = hours_since_close(now)
    warning, critical = BY_ID["cost.rollup_age"].limits()
    if hours is not None and hours >= warning:
        yield Finding(
            rule="cost.rollup_age",
            module=ROLLUP,
            target="",
            level=Level.CRITICAL if hours >= critical else Level.WARNING,
            value=round(hours, 1),
            unit="h",
            message=f"No day was closed for {hours:.0f} hours: the nightly rollup is missing.",
        )


def age_reading() -> Reading:
    """Return the hours since the last close of a day, for System Status."""
    hours = hours_since_close(timezone.now())
    if hours is None:
        return Reading(state=CheckState.DISABLED, note="Nothing was recorded yet")
    return Reading({"cost.rollup_age": round(hours, 2)})


def caps_reading() -> Reading:
    """Return how much of each cap is used, in percent, for System Status."""
    today = local_today(timezone.now())
    budgets = budget_queries.first(MOST_BUDGETS)
    found: dict[str, float] = {
        f"{one.name.rstrip(':')}: {cap.name}": share for _, one, cap, share in shares(budgets, today)
    }
    if not found:
        return Reading(state=CheckState.DISABLED, note="No budget has a cap")
    return Reading({"cost.budget": found})
