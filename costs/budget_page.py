"""What the budgets page shows: each scope's caps with what is used, a change before it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from costs import budget_queries
from costs.budgets import BudgetError, checked_cap
from costs.days import local_today
from costs.models import NO_CAP, NO_CAP_USD, CostBudget
from costs.throttle import truth
from costs.throttle.amounts import nano
from costs.throttle.caps import NONE, caps_of, scope_of
from costs.throttle.scopes import EACH_USER, GLOBAL, Scope, percent_of
from healthpilot.web import numbers, tables
from healthpilot.web.pages import MAX_LIMIT
from healthpilot.web.tables import Column, Row, Table

NEAR: Final = 80
FULL: Final = 100
MOST_PERCENT: Final = 999


@dataclass(frozen=True)
class Cap:
    """One cap of a budget: its column, and how people call it."""

    name: str
    label: str
    unit: str

    @property
    def is_money(self) -> bool:
        return self.name.endswith("_usd_cap")


CAPS: Final = (
    Cap("daily_cost_usd_cap", "Spend a day", "US dollars"),
    Cap("monthly_cost_usd_cap", "Spend a month", "US dollars"),
    Cap("daily_jobs_cap", "Jobs a day", "jobs"),
    Cap("daily_cpu_ms_cap", "CPU time a day", "milliseconds"),
    Cap("llm_input_tokens_cap", "Input tokens a day", "tokens"),
    Cap("llm_output_tokens_cap", "Output tokens a day", "tokens"),
)
# What AI calls take nothing of: they go on when it is used up.
OF_JOBS: Final = ("daily_jobs_cap", "daily_cpu_ms_cap")
# The scripts' order of places (see Amounts), by column.
PLACES: Final = {
    "daily_cpu_ms_cap": 0,
    "daily_jobs_cap": 1,
    "llm_input_tokens_cap": 2,
    "llm_output_tokens_cap": 3,
    "daily_cost_usd_cap": 4,
    "monthly_cost_usd_cap": 5,
}


def no_caps() -> dict[str, Any]:
    """Return the caps of a budget that caps nothing, by column."""
    return {cap.name: NO_CAP_USD if cap.is_money else NO_CAP for cap in CAPS}


def written(cap: Cap, value: Any) -> str:
    """Return a cap as it is typed: empty for none, no separators."""
    if value is None or value == (NO_CAP_USD if cap.is_money else NO_CAP):
        return ""
    return f"{Decimal(value).normalize():f}" if cap.is_money else str(value)


def current(cap: Cap, value: Any) -> str:
    """Return a cap as it is read."""
    text = written(cap, value)
    if not text:
        return "no cap"
    return numbers.money_exact(Decimal(text)) if cap.is_money else f"{int(text):,}"


def usage_of(scope: Scope, day: date) -> tuple[int, ...]:
    """Return what a scope used by the last rollup, in the order of places; zeros for each user's budget."""
    return usage_by([scope], day)[scope]


def usage_by(scopes: Sequence[Scope], day: date) -> dict[Scope, tuple[int, ...]]:
    """Return what each scope used, as usage_of; a few queries for all of them."""
    usage = truth.rolled_usage([scope for scope in scopes if scope.key != EACH_USER], day)
    return dict.fromkeys(scopes, (0,) * 6) | {scope: places(found) for scope, found in usage.items()}


def places(usage: truth.Usage) -> tuple[int, ...]:
    """Return a usage in the order of the caps' places."""
    return (*usage.today.each(), usage.today.cost_nano + usage.month_nano)


def percent(used: int, cap: int) -> int | None:
    """Return how much of a cap is used, in whole percent; None where there is no cap."""
    if cap == NONE:
        return None
    return MOST_PERCENT if cap == 0 else min(MOST_PERCENT, used * 100 // cap)


def status_of(share: int | None) -> str:
    """Return the status that goes with a share of a cap."""
    if share is None or share < NEAR:
        return "ok"
    return "warn" if share < FULL else "error"


def budgets_table(now_on: date) -> Table:
    """Return the table of budgets, what is near its cap in words."""
    rows = budget_queries.first(MAX_LIMIT)
    roles = [tables.MAIN, tables.PLAIN, tables.PLAIN, tables.LESSER, tables.LESSER, tables.LESSER]
    columns = [
        Column("Scope", tables.NAME),
        *(Column(cap.label, role, numeric=True) for cap, role in zip(CAPS, roles, strict=True)),
        Column("Changed by", tables.LESSER),
    ]
    used = usage_by([scope_of(row) for row in rows], now_on)
    lines = [budget_row(row, used[scope_of(row)]) for row in rows]
    return Table("budgets", "Budgets: caps of a local day, spend of the month too", columns, lines)


def budget_row(budget: CostBudget, used: Sequence[int]) -> Row:
    """Return one budget's line: each cap with the share of it that is used."""
    scope, caps = scope_of(budget), caps_of(budget)
    cells = [cell(cap, budget, used, caps) for cap in CAPS]
    changed = f"{budget.updated_by}, {budget.updated_at:%d %b %H:%M} UTC"
    return Row([title(scope), *cells, changed], url=edit_url(scope), key=title(scope))


def cell(cap: Cap, budget: CostBudget, used: Sequence[int], caps: Sequence[int]) -> str:
    share = percent(used[PLACES[cap.name]], caps[PLACES[cap.name]])
    text = current(cap, getattr(budget, cap.name))
    if share is None or budget.scope_key == EACH_USER:
        return text if share is not None else "–"
    return f"{share} % of {text}"


def title(scope: Scope) -> str:
    """Return what a scope is called on a page."""
    if scope.kind == GLOBAL:
        return "Everything"
    return "Each user" if scope.key == EACH_USER else f"{scope.kind.capitalize()} {scope.key}"


def edit_url(scope: Scope, *, name: str = "costs:budget") -> str:
    """Return the address of one scope's budget."""
    return f"{reverse(name)}?{urlencode({'scope': scope.kind, 'key': scope.key})}"


def change_lines(
    scope: Scope, budget: CostBudget | None, typed: Mapping[str, str] | None, errors: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the lines of the change form: current → new, with what is used of the current cap."""
    used = usage_of(scope, local_today(timezone.now()))
    caps = caps_of(budget) if budget else (NONE,) * 6
    lines = []
    for cap in CAPS:
        kept = getattr(budget, cap.name) if budget else None
        share = None if scope.key == EACH_USER else percent(used[PLACES[cap.name]], caps[PLACES[cap.name]])
        lines.append(
            {
                "name": cap.name,
                "label": cap.label,
                "current": current(cap, kept),
                "start": written(cap, kept),
                "value": written(cap, kept) if typed is None else typed.get(cap.name, ""),
                "unit": cap.unit,
                "used": share,
                "so_far": "" if scope.key == EACH_USER else so_far(cap, used[PLACES[cap.name]]),
                "status": status_of(share) if share is not None else "",
                "errors": [errors[cap.name]] if cap.name in errors else [],
            }
        )
    return lines


def so_far(cap: Cap, used: int) -> str:
    """Return what a scope used in a cap's day or month until now, in the unit in which the cap is typed."""
    in_words = f" ({numbers.duration(used)})" if cap.name == "daily_cpu_ms_cap" else ""
    text = numbers.money(Decimal(used).scaleb(-9)) if cap.is_money else f"{used:,}{in_words}"
    return f"{text} so far {'this month' if window(cap) == 'month' else 'today'}"


def checked(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the caps that were typed, and what is wrong with the others, by column."""
    limits: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for cap in CAPS:
        text = typed.get(cap.name, "").strip()
        try:
            limits[cap.name] = checked_cap(cap.name, text or None)
        except BudgetError as error:
            errors[cap.name] = str(error)
    return limits, errors


def effect(scope: Scope, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Return what caps would do now: whose work stops, and where each tier's share ends."""
    if scope.key == EACH_USER:
        text = "It holds for each user who has no budget of their own, from their next job on."
        return {"title": "What this does", "lines": [{"status": "info", "text": text}]}
    used = usage_of(scope, local_today(timezone.now()))
    lines = [
        line
        for cap in CAPS
        if cap.name in limits
        for line in effect_of(cap, limits[cap.name], used[PLACES[cap.name]], scope)
    ]
    lines = lines or [{"status": "info", "text": "Nothing is capped: all work runs."}]
    return {"title": "What this does from the next job on", "lines": lines}


def effect_of(cap: Cap, value: Any, used: int, scope: Scope) -> list[dict[str, str]]:
    """Return the sentence for one cap, none where there is no cap."""
    if not written(cap, value):
        return []
    bound = nano(value) if cap.is_money else int(value)
    share = percent(used, bound)
    if bound == 0:
        return [{"status": "error", "text": f"{cap.label}: no work of {title(scope).lower()} runs at all."}]
    stopped = [tier for tier in shed_tiers(scope) if used * 100 >= bound * percent_of(scope, tier)]
    if stopped:
        is_all = len(stopped) == len(shed_tiers(scope))
        what, waits = ("jobs", "wait") if cap.name in OF_JOBS else ("work", "waits")
        who = f"all {what}" if is_all else f"{what} of {', '.join(stopped)}"
        text = f"{cap.label}: {share} % is used already, so {who} {waits} until the {window(cap)} is over."
        return [{"status": "error" if is_all else "warn", "text": text}]
    return [{"status": "ok", "text": f"{cap.label}: {share} % is used; all tiers go on."}]


def window(cap: Cap) -> str:
    return "month" if cap.name.startswith("monthly") else "day"


def shed_tiers(scope: Scope) -> list[str]:
    """Return the tiers in the order in which a scope's caps stop them."""
    return [scope.key] if scope.kind == "tier" else list(settings.TIERS)
