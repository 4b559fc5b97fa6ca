"""The cards of the cost page that draw or list: each as figure, one sentence and table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from costs import cards, charts, movers, queries, subjects, user_queries
from costs.bands import Band, bands, styled_tiers
from costs.forms import BY, SORTS, Asked
from costs.histories import TooMuchError
from costs.marks import Mark
from costs.queries import Day, DomainRow
from costs.ranges import DateRange, spoken
from costs.user_queries import UserRow
from healthpilot.web import numbers
from healthpilot.web.pages import CursorError, Page

ZERO = Decimal(0)
USERS_SHOWN = 10
DOMAIN_NOTE = "The eight domains with the most jobs. Waits are read from a histogram, to within 9 %."
CURSOR_LOST = "The list has moved on; this is its beginning."
TOO_MANY_USERS = "Comparing every user over so many days takes too long here; choose fewer days."


@dataclass(frozen=True)
class TierDay:
    """One line of the table beside the area: a day's cost by band, and whether the day is over."""

    on: date
    costs: list[Decimal]
    total: Decimal
    is_open: bool


def timeline(asked: Asked) -> charts.Timeline:
    """Return the days of the range, each with the address that shows it alone."""
    days = asked.range.dates
    links = [f"?{asked.on_day(day)}" for day in days]
    return charts.Timeline(days, len(asked.range.complete_dates), links)


def change_panel(asked: Asked) -> dict[str, Any]:
    """Return why the cost changed: the sentence from the breakdowns, the movers of the kind asked for."""
    by = movers.changes(asked.range)
    shown, problem = by.get(asked.by), ""
    if asked.by == "user":
        try:
            shown = movers.user_change(asked.range)
        except TooMuchError:
            problem = TOO_MANY_USERS
    return {
        "change_sentence": movers.sentence(by),
        "change": shown,
        "change_problem": problem,
        "kinds": BY,
    }


def change_alone(asked: Asked) -> dict[str, Any]:
    """Return what the panel of the change needs when it is swapped alone."""
    return {"asked": asked, "range": asked.range} | change_panel(asked)


def tier_panel(asked: Asked, pointed: Sequence[Mark]) -> dict[str, Any]:
    """Return cost per day by tier as figure, sentence and table, the latest day first."""
    found = bands(queries.tier_costs(asked.range), asked.range.dates)
    days = tier_days(asked.range, found)
    links = {style: f"?{asked.query(tier=tier)}#users" for tier, style in styled_tiers().items()}
    figure = charts.cost_by_tier(timeline(asked), found, marks=pointed, tier_links=links) if found else None
    return {
        "bands": found,
        "tier_days": list(reversed(days)),
        "tier_total": sum((band.total for band in found), ZERO),
        "tier_sentence": tier_sentence([day for day in days if not day.is_open]),
        "today": days[-1] if asked.range.has_today else None,
        "tier_links": links,
        "marks": pointed,
        "tier_figure": figure,
    }


def tier_days(asked: DateRange, found: Sequence[Band]) -> list[TierDay]:
    costs = [[band.values[index] for band in found] for index in range(asked.days)]
    return [
        TierDay(day, parts, sum(parts, ZERO), day >= asked.today)
        for day, parts in zip(asked.dates, costs, strict=True)
    ]


def tier_sentence(complete: Sequence[TierDay]) -> str:
    """Return what the chart shows in one sentence, from complete days only."""
    total = sum((day.total for day in complete), ZERO)
    if not total:
        return "No complete day has a cost yet."
    peak = max(complete, key=lambda day: day.total)
    if peak.total == total:
        only = ", the only complete day with a cost" if len(complete) > 1 else ""
        return f"{numbers.money(total)} on {spoken(peak.on, peak.on)}{only}."
    return (
        f"{numbers.money(total / len(complete))} a day on average over {len(complete)} complete days. "
        f"The dearest was {peak.on.day} {peak.on:%b} with {numbers.money(peak.total)}."
    )


def domain_panel(asked: Asked) -> dict[str, Any]:
    """Return jobs and queue wait by domain, the busiest first."""
    found = queries.domains(asked.range)
    with_jobs = [row for row in found if row.jobs]
    links = [subjects.link("domain", row.domain, asked.range.query) or "" for row in with_jobs]
    return {
        "domains": found,
        "domain_sentence": domain_sentence(with_jobs),
        "domain_note": DOMAIN_NOTE,
        "domain_figure": charts.jobs_by_domain(with_jobs, links=links) if with_jobs else None,
    }


def domain_sentence(rows: Sequence[DomainRow]) -> str:
    waiting = [row for row in rows if row.wait_p95_ms is not None]
    if not waiting:
        return "No job in this range told how long it had waited." if rows else "No job ran in this range."
    slowest = max(waiting, key=lambda row: row.wait_p95_ms or 0)
    return (
        f"{slowest.domain or 'No domain'} waits longest: 95 % of its jobs started within "
        f"{numbers.duration(slowest.wait_p95_ms)}."
    )


def token_panel(asked: Asked, rows: Mapping[date, Day]) -> dict[str, Any]:
    """Return tokens and cache hit-rate per day, the latest day first."""
    dates, today = asked.range.dates, asked.range.today
    shown = [rows[day] for day in dates]
    calls, hits = sum(day.ai_calls for day in shown), sum(day.cache_hits for day in shown)
    sums = {name: sum(getattr(day, name) for day in shown) for name in ("tokens_in", "tokens_out")}
    return {
        "token_days": [
            {"on": day, "row": rows[day], "rate": cards.hit_rate([rows[day]]), "is_open": day >= today}
            for day in reversed(dates)
        ],
        "token_totals": sums | {"ai_calls": calls, "rate": numbers.share(hits, calls)},
        "token_sentence": token_sentence(sums, calls),
        "token_figure": charts.tokens_and_hits(timeline(asked), shown) if calls else None,
    }


def token_sentence(sums: Mapping[str, int], calls: int) -> str:
    sent, received = numbers.compact(sums["tokens_in"]), numbers.compact(sums["tokens_out"])
    return f"{sent} in and {received} out over {numbers.compact(calls)} {'call' if calls == 1 else 'calls'}."


def users_panel(asked: Asked, *, use_window: bool | None = None, count: int | None = None) -> dict[str, Any]:
    """Return one page of top users; alone it is what paging, sorting and filtering ask for."""
    use_window = user_queries.window_users(asked.range) is not None if use_window is None else use_window
    page, lost = users_page(asked, use_window=use_window)
    if count is None or asked.prefix or asked.tier is not None:
        count = user_queries.user_count(
            asked.range, prefix=asked.prefix, tier=asked.tier, use_window=use_window
        )
    starts_here = asked.sort == "-cost" and not (asked.cursor or asked.prefix or asked.tier is not None)
    dearest = (
        page.rows[:1]
        if starts_here or lost
        else user_queries.top_users(asked.range, use_window=use_window, limit=1).rows
    )
    return {
        "asked": asked,
        "range": asked.range,
        "sentence": spoken(asked.range.first_on, asked.range.last_on),
        "users": page,
        "user_count": count,
        "users_notice": lost,
        "highest": dearest[0].cost_exact if dearest else ZERO,
        "columns": columns(asked),
        "tiers": list(styled_tiers()),
    }


def columns(asked: Asked) -> list[dict[str, Any]]:
    """Return the sortable heads of the users' table: the address behind each, and how it is sorted now."""
    heads = []
    for name in SORTS:
        is_sorted = asked.sorted_by == name
        first_way = name if name == "user" else f"-{name}"
        other_way = asked.sorted_by if asked.descends else f"-{asked.sorted_by}"
        heads.append(
            {
                "name": name,
                "title": COLUMN_TITLES[name],
                "query": asked.query(sort=other_way if is_sorted else first_way),
                "state": ("descending" if asked.descends else "ascending") if is_sorted else "",
            }
        )
    return heads


COLUMN_TITLES = {
    "user": "User",
    "jobs": "Jobs",
    "ai_calls": "AI calls",
    "cpu": "CPU time",
    "tokens_in": "Tokens in",
    "tokens_out": "Tokens out",
    "cost": "Cost",
}


def users_page(asked: Asked, *, use_window: bool) -> tuple[Page[UserRow], str]:
    """Return the page that the cursor names, or the first one and why it is that."""

    def page(cursor: str | None) -> Page[UserRow]:
        return user_queries.top_users(
            asked.range,
            use_window=use_window,
            limit=USERS_SHOWN,
            cursor=cursor,
            prefix=asked.prefix,
            tier=asked.tier,
            sort=asked.sort,
        )

    try:
        return page(asked.cursor), ""
    except CursorError:
        return page(None), CURSOR_LOST
