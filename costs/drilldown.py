"""The page of one user, domain, model or job type: its days, what it is made of, and the events behind it."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings

from costs import cards, charts, events, histories, queries, subjects
from costs.events import Event
from costs.forms import Asked
from costs.histories import Parts, TooMuchError
from costs.overview import is_stale
from costs.panels import CURSOR_LOST, timeline
from costs.prices import queries as prices
from costs.queries import DAY_FIELDS, Day
from costs.ranges import DateRange, spoken
from costs.subjects import DOMAIN, JOB_TYPE, MODEL, USER, Subject
from healthpilot.web import numbers
from healthpilot.web.pages import CursorError, Page

Found = TypeVar("Found")

ZERO = Decimal(0)
EVENTS_SHOWN = 20
TOO_MUCH = "There is too much of it to read for a page; choose fewer days."


@dataclass(frozen=True)
class PartsPanel:
    """What a subject's cost is made of in one dimension, or why that could not be read."""

    kind: str
    title: str
    found: Parts | None
    problem: str

    @property
    def highest(self) -> Decimal:
        return max((row.cost_exact for row in self.found.rows), default=ZERO) if self.found else ZERO


class Patience:
    """Tries reads until one takes too long: those after it would too, and the page must come."""

    def __init__(self) -> None:
        self.is_over = False

    def ask(self, read: Callable[[], Found]) -> Found | None:
        """Return what a read finds, or None when it or one before it took too long."""
        if self.is_over:
            return None
        try:
            return read()
        except TooMuchError:
            self.is_over = True
            return None


def page(subject: Subject, asked: Asked, now: datetime) -> dict[str, Any]:
    """Return the context of a subject's page; state says which of unknown, elsewhere or ready it is in."""
    extent = queries.extent()
    context: dict[str, Any] = {
        "asked": asked,
        "range": asked.range,
        "extent": extent,
        "now": now,
        "subject": subject,
        "sentence": spoken(asked.range.first_on, asked.range.last_on),
        "presets": (7, 30, 90),
        "stale": is_stale(extent, now),
        "raw_since": histories.raw_since(subject, asked.range),
        "retention_days": settings.TELEMETRY_RETENTION_DAYS,
    }
    patience = Patience()
    rows = patience.ask(lambda: history(subject, asked))
    if rows is None:
        return context | {"state": "too-much"}
    shown = [rows[day] for day in asked.range.dates]
    if not any(day.jobs or day.ai_calls for day in shown):
        known = Patience().ask(lambda: histories.is_known(subject))
        return context | {"state": "unknown" if known is False else "elsewhere"}
    return context | {"state": "ready"} | ready(subject, asked, rows)


def history(subject: Subject, asked: Asked) -> Mapping[date, Day]:
    """Return the days of the range and of the period before, where it is compared."""
    days = asked.range.dates
    first = min([*(asked.range.previous_dates if asked.compares else []), days[0]])
    return histories.history(subject, first, days[-1], asked.range.today)


def ready(subject: Subject, asked: Asked, rows: Mapping[date, Day]) -> dict[str, Any]:
    previous = asked.range.previous_dates if asked.compares else []
    patience = Patience()
    return {
        "compared": spoken(previous[0], previous[-1]) if previous else "",
        "cards": subject_cards(subject, asked.range, rows, whole=whole_of(asked.range)),
        **history_panel(subject, asked, rows, previous),
        "prices": prices.used(subject.name, asked.range) if subject.kind is MODEL else [],
        "parts": [parts_panel(subject, kind, asked.range, patience) for kind in subject.kind.parts],
        **events_panel(subject, asked),
        **extremes(subject, asked.range),
    }


def whole_of(asked: DateRange) -> Decimal:
    """Return what everything cost over a range, to say what share of it the subject has."""
    return sum((day.cost_exact for day in queries.days(asked.dates).values()), ZERO)


def subject_cards(
    subject: Subject, asked: DateRange, rows: Mapping[date, Day], *, whole: Decimal
) -> list[cards.Card]:
    """Return the key figures that a subject of this kind has."""
    days = {day: rows.get(day, Day()) for day in [*asked.previous_dates, *asked.dates]}
    periods = cards.Periods.of(asked, days)
    total = sum((day.cost_exact for day in periods.shown), ZERO)
    share = f"{numbers.percent(numbers.share(total, whole))} of everything"
    found = [cards.card("spend", "Spend", cards.MONEY, periods, "cost_exact", foot=share)]
    if subject.kind.has_jobs:
        found.append(cards.jobs(periods))
    if subject.kind.has_calls:
        found += [cards.ai_calls(periods), cards.cache_hits(periods, tells_savings=False)]
    if subject.kind in (DOMAIN, MODEL):
        unpriced = sum(day.unpriced_calls for day in periods.shown)
        foot = "At default rates" if unpriced else "Every call has a price"
        found.append(cards.card("unpriced_calls", "Unpriced calls", cards.COUNT, periods, foot=foot))
    if subject.kind in (USER, JOB_TYPE, DOMAIN):
        found.append(cpu(periods))
    return found


def cpu(periods: cards.Periods) -> cards.Card:
    """Return CPU time, and what that is for each job."""
    jobs, total = (sum(getattr(day, name) for day in periods.shown) for name in ("jobs", "cpu_ms"))
    foot = f"{numbers.duration(total // jobs)} a job" if jobs else "No job ran"
    return cards.card("cpu_ms", "CPU time", cards.DURATION, periods, foot=foot)


def history_panel(
    subject: Subject, asked: Asked, rows: Mapping[date, Day], previous: Sequence[date]
) -> dict[str, Any]:
    """Return the cost per day as figure, sentence and table, the latest day first."""
    dates, today = asked.range.dates, asked.range.today
    costs = [rows[day].cost_exact for day in dates]
    before = [rows[day].cost_exact for day in previous]
    lines = timeline(asked)
    lines = charts.Timeline(lines.dates, lines.complete, [f"{link}#events" for link in lines.links])
    return {
        "history_sentence": history_sentence(
            [(day, rows[day].cost_exact) for day in asked.range.complete_dates]
        ),
        "history_days": [{"on": day, "row": rows[day], "is_open": day >= today} for day in reversed(dates)],
        "history_rows": [rows[day] for day in dates],
        "history_total": total_day([rows[day] for day in dates]),
        "history_figure": charts.subject_history(lines, costs, before) if any(costs) else None,
    }


def total_day(days: Sequence[Day]) -> Day:
    """Return the sums of several days."""
    sums: dict[str, Any] = {name: sum(getattr(day, name) for day in days) for name in DAY_FIELDS}
    return Day(**sums | {"cost_exact": sum((day.cost_exact for day in days), ZERO)})


def history_sentence(complete: Sequence[tuple[date, Decimal]]) -> str:
    """Return what the bars show, from complete days only."""
    active = [(cost, day) for day, cost in complete if cost]
    if not active:
        return "No complete day has a cost yet."
    cost, peak = max(active)
    total = sum((cost for cost, _ in active), ZERO)
    return (
        f"{numbers.money(total / len(complete))} a day on average, with a cost on {len(active)} "
        f"of {len(complete)} complete days. The dearest was {peak.day} {peak:%b} with {numbers.money(cost)}."
    )


def parts_panel(subject: Subject, kind: str, asked: DateRange, patience: Patience) -> PartsPanel:
    found = patience.ask(lambda: histories.parts(subject, kind, asked))
    return PartsPanel(kind, f"By {subjects.TITLES[kind].lower()}", found, "" if found else TOO_MUCH)


def events_panel(subject: Subject, asked: Asked) -> dict[str, Any]:
    """Return one page of recent events; alone it is what paging asks for."""
    try:
        page, problem = recent(subject, asked), ""
    except TooMuchError:
        page, problem = None, TOO_MUCH
    found, lost = page or (None, "")
    return {
        "asked": asked,
        "range": asked.range,
        "subject": subject,
        "sentence": spoken(asked.range.first_on, asked.range.last_on),
        "events": found,
        "events_notice": lost,
        "events_problem": problem,
    }


def recent(subject: Subject, asked: Asked) -> tuple[Page[Event], str]:
    """Return the page that the cursor names, or the first one and why it is that."""
    try:
        return events.recent(subject, asked.range, limit=EVENTS_SHOWN, cursor=asked.cursor), ""
    except CursorError:
        return events.recent(subject, asked.range, limit=EVENTS_SHOWN), CURSOR_LOST


def extremes(subject: Subject, asked: DateRange) -> dict[str, Any]:
    """Return the slowest and the dearest events of the range, or None where they are too many."""
    patience = Patience()
    found = {
        order: patience.ask(functools.partial(events.extreme, subject, asked, order))
        for order in events.ORDERS
    }
    return {**found, "extremes_problem": TOO_MUCH if patience.is_over else ""}
