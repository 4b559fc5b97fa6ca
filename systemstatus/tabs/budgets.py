"""The tab Budgets: every limit, how far its figure is from it, its day, and what it did in the past week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.http import QueryDict

from systemstatus import figures, heartbeats, queries, registry
from systemstatus.figures import Figure
from systemstatus.heartbeats import Series
from systemstatus.moment import Moment
from systemstatus.registry import Module
from systemstatus.rehearsal import Rehearsal, rehearsed
from systemstatus.standing import ERROR, NONE, OK, RANK, UNKNOWN, WARN
from systemstatus.tabs.overview import decimal
from systemstatus.thresholds import BY_ID, THRESHOLDS, Threshold, window_text
from systemstatus.wording import figure_text, span_text

WEEK: Final = timedelta(days=7)
SLO: Final = {"portal.availability": Decimal("99.9")}
SHOWS: Final = (
    ("", "All"),
    ("over", "Breached"),
    ("within", "Within"),
    ("unmeasured", "Not measured"),
)
GROUPS: Final = {"over": (ERROR, WARN), "within": (OK,), "unmeasured": (NONE, UNKNOWN)}


@dataclass(frozen=True)
class Line:
    """One budget with its worst figure now, and how it did.

    used: how much of the critical limit is used up, in percent; warns_at: where the warning lies on it.
    """

    budget: Threshold
    figure: Figure | None
    status: str
    value: str
    limits: str
    window: str
    used: int | None
    warns_at: int
    series: Sequence[Decimal | None]
    breaches: str
    left: str

    @property
    def is_measured(self) -> bool:
        return self.figure is not None


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    modules = list(registry.modules())
    lines = lines_of(moment, modules)
    show = params.get("show", "")
    chosen = [line for line in lines if show not in GROUPS or line.status in GROUPS[show]]
    return {
        "budgets": [line for line in chosen if line.is_measured or line.value],
        "unmeasured": [line for line in chosen if not line.is_measured and not line.value],
        "counts": counts(lines),
        "show": show if show in GROUPS else "",
        "shows": SHOWS,
        "rehearsal": rehearsal(params, modules, moment),
    }


def lines_of(moment: Moment, modules: Sequence[Module]) -> list[Line]:
    """Return every budget, the breached ones first and then in the order of the table."""
    measured = figures.figures_of(modules, moment)
    worst = worst_by_budget([one for found in measured.values() for one in found])
    told = queries.breaches_since(moment.at - WEEK, moment.at)
    series = heartbeats.trends(moment)
    lines = [line(row, worst.get(row.id), moment, series, told) for row in THRESHOLDS]
    return sorted(lines, key=lambda one: -RANK[one.status] if one.status in {ERROR, WARN} else 0)


def worst_by_budget(found: Sequence[Figure]) -> dict[str, Figure]:
    """Return for each budget the figure that is worst off."""
    worst: dict[str, Figure] = {}
    for figure in found:
        if figure.budget is None:
            continue
        known = worst.get(figure.budget.id)
        if known is None or badness(figure) > badness(known):
            worst[figure.budget.id] = figure
    return worst


def badness(figure: Figure) -> tuple[int, float]:
    value = figure.value if figure.value is not None else float("-inf")
    sign = -1 if figure.budget and figure.budget.below and figure.value is not None else 1
    return RANK[figure.status], sign * value


def line(
    row: Threshold,
    figure: Figure | None,
    moment: Moment,
    series: Series,
    told: Mapping[str, tuple[int, float]],
) -> Line:
    status, value = figure.status if figure else NONE, figure.value if figure else None
    if row.id == "collector.age" and moment.age_s is not None:
        value = moment.age_s
        status = ERROR if moment.is_gone else WARN if moment.is_old else OK
    key = (figure.module.name, figure.metric.id) if figure else None
    warning, critical = row.limits(figure.target, figure.module.name) if figure else row.limits()
    return Line(
        row, figure, status, "" if value is None else figure_text(value, row.unit),
        " → ".join(figure_text(limit, row.unit) for limit in (warning, critical)), window_text(row),
        None if value is None else used(row, value, critical), used(row, warning, critical),
        [decimal(one) for one in series.get(key, ())] if key else [],
        breaches(told.get(row.id)), left(row, value),
    )  # fmt: skip


def used(row: Threshold, value: float, critical: float) -> int:
    """Return how much of a critical limit a value uses up, in percent, 100 at most."""
    if not row.below:
        share = value / critical if critical else float(value > 0)
    elif row.unit == "%":
        share = (100 - value) / (100 - critical)
    else:
        share = critical / value if value > 0 else 1
    return round(100 * max(0.0, min(1.0, share)))


def breaches(told: tuple[int, float] | None) -> str:
    """Return how often and for how long a budget was breached: '2 ×, 41 min'."""
    if told is None:
        return "none"
    times, minutes = told
    return f"{times} ×, {span_text(max(1, round(minutes)) * 60_000)}"


def left(row: Threshold, value: float | None) -> str:
    """Return how much of an SLO's error budget is left, or how fast it burns; empty for other rows."""
    if value is None:
        return ""
    if row.id in SLO:
        allowed = 100 - SLO[row.id]
        rest = 100 * (1 - (100 - Decimal(repr(value))) / allowed)
        return f"{max(Decimal(0), rest):.0f} % of its error budget is left"
    return f"burns {figure_text(value, '')} times as fast as 30 days allow" if row.id == "api.burn" else ""


def counts(lines: Sequence[Line]) -> dict[str, int]:
    return {
        "over": sum(line.status in GROUPS["over"] for line in lines),
        "within": sum(line.status == OK for line in lines),
        "unmeasured": sum(line.status in GROUPS["unmeasured"] for line in lines),
    }


def rehearsal(params: QueryDict, modules: Sequence[Module], moment: Moment) -> Rehearsal | None:
    """Return what other limits of the budget that was chosen would have done; None where none was chosen."""
    budget = BY_ID.get(params.get("rehearse", ""))
    if budget is None:
        return None
    own = [module for module in modules if any(metric.budget == budget.id for metric in module.metrics)]
    return rehearsed(budget, params, own, moment.now)
