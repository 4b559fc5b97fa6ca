"""Everything the cost page shows: gathered by a handful of queries and put into sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from costs import cards, charts, queries
from costs.bands import Band, bands
from costs.forms import Asked
from costs.queries import Day, DomainRow, Extent, UserRow
from costs.ranges import MAX_DAYS, ONE_DAY, DateRange, spoken
from healthpilot.web import numbers
from healthpilot.web.pages import CursorError, Page

ZERO = Decimal(0)
STALE_AFTER = timedelta(hours=26)
WEEK = 7
USERS_SHOWN = 10
PREVIEWS = (
    ("Spend", "Day by day, beside the period before"),
    ("Jobs", "And how many failed"),
    ("AI calls", "With tokens in and out"),
    ("Cache hit-rate", "Calls that were not made again"),
    ("Active users", "And who costs the most"),
    ("Unpriced calls", "Models without a price"),
)
CURSOR_LOST = "The list has moved on; this is its beginning."


@dataclass(frozen=True)
class TierDay:
    """One line of the table beside the area: a day's cost by band, and whether the day is over."""

    on: date
    costs: list[Decimal]
    total: Decimal
    is_open: bool


def overview(asked: Asked, now: datetime) -> dict[str, Any]:
    """Return the context of the page; state says which of empty, elsewhere or ready it is in."""
    extent = queries.extent()
    context: dict[str, Any] = {
        "asked": asked,
        "range": asked.range,
        "extent": extent,
        "now": now,
        "sentence": spoken(asked.range.first_on, asked.range.last_on),
        "presets": (7, 30, 90),
        "stale": is_stale(extent, now),
    }
    if extent.last_on is None:
        return context | {
            "state": "empty",
            "pending": queries.events_wait_for_the_fold(),
            "previews": PREVIEWS,
        }
    rows = queries.days([*asked.range.previous_dates, *asked.range.dates])
    if not any(has_events(rows[day]) for day in asked.range.dates):
        return context | elsewhere(extent, asked.range)
    return context | {"state": "ready"} | ready(asked, rows)


def ready(asked: Asked, rows: Mapping[date, Day]) -> dict[str, Any]:
    in_window = queries.window_users(asked.range)
    use_window = in_window is not None
    users = queries.user_count(asked.range, use_window=False) if in_window is None else in_window
    unpriced = queries.unpriced_models(asked.range)
    previous = asked.range.previous_dates
    return {
        "compared": spoken(previous[0], previous[-1]) if previous else "",
        "cards": cards.cards(asked.range, rows, users=users, unpriced=unpriced, today=asked.range.today),
        "unpriced": unpriced,
        **tier_panel(asked.range),
        **domain_panel(asked.range),
        **token_panel(asked.range, rows),
        **users_panel(asked, use_window=use_window, count=users),
    }


def is_stale(extent: Extent, now: datetime) -> bool:
    """Return whether the newest rollup is older than a day and its grace."""
    return extent.rolled_up_at is not None and now - extent.rolled_up_at > STALE_AFTER


def has_events(day: Day) -> bool:
    return bool(day.jobs or day.ai_calls)


def elsewhere(extent: Extent, asked: DateRange) -> dict[str, Any]:
    """Return where the data is, for a range without any: the nearest week, and all if not too long."""
    if extent.first_on is None or extent.last_on is None:
        return {"state": "elsewhere"}
    week = nearest(extent.first_on, extent.last_on, asked)
    everything = DateRange(extent.first_on, extent.last_on, asked.today)
    return {
        "state": "elsewhere",
        "nearest": week,
        "nearest_sentence": spoken(week.first_on, week.last_on),
        "everything": everything if WEEK < everything.days <= MAX_DAYS else None,
    }


def nearest(first_on: date, last_on: date, asked: DateRange) -> DateRange:
    """Return the week that ends on the newest day with data, or begins on the oldest if all came later."""
    if asked.last_on < first_on:
        return DateRange(first_on, min(first_on + (WEEK - 1) * ONE_DAY, asked.today), asked.today)
    return DateRange(last_on - (WEEK - 1) * ONE_DAY, last_on, asked.today)


def timeline(asked: DateRange) -> charts.Timeline:
    return charts.Timeline(asked.dates, len(asked.complete_dates))


def tier_panel(asked: DateRange) -> dict[str, Any]:
    """Return cost per day by tier as figure, sentence and table, the latest day first."""
    found = bands(queries.tier_costs(asked), asked.dates)
    days = tier_days(asked, found)
    return {
        "bands": found,
        "tier_days": list(reversed(days)),
        "tier_total": sum((band.total for band in found), ZERO),
        "tier_sentence": tier_sentence([day for day in days if not day.is_open]),
        "today": days[-1] if asked.has_today else None,
        "tier_figure": charts.cost_by_tier(timeline(asked), found) if found else None,
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


def domain_panel(asked: DateRange) -> dict[str, Any]:
    found = queries.domains(asked)
    with_jobs = [row for row in found if row.jobs]
    return {
        "domains": found,
        "domain_sentence": domain_sentence(with_jobs),
        "domain_figure": charts.jobs_by_domain(with_jobs) if with_jobs else None,
    }


def domain_sentence(rows: Sequence[DomainRow]) -> str:
    waiting = [row for row in rows if row.wait_p95_ms is not None]
    if not waiting:
        return "No job in this range told how long it had waited." if rows else ""
    slowest = max(waiting, key=lambda row: row.wait_p95_ms or 0)
    return (
        f"{slowest.domain or 'No domain'} waits longest: 95 % of its jobs started within "
        f"{numbers.duration(slowest.wait_p95_ms)}."
    )


def token_panel(asked: DateRange, rows: Mapping[date, Day]) -> dict[str, Any]:
    shown = [rows[day] for day in asked.dates]
    calls, hits = sum(day.ai_calls for day in shown), sum(day.cache_hits for day in shown)
    sums = {name: sum(getattr(day, name) for day in shown) for name in ("tokens_in", "tokens_out")}
    return {
        "token_days": [
            {"on": day, "row": rows[day], "rate": cards.hit_rate([rows[day]]), "is_open": day >= asked.today}
            for day in reversed(asked.dates)
        ],
        "token_totals": sums | {"ai_calls": calls, "rate": numbers.share(hits, calls)},
        "token_sentence": token_sentence(sums, calls),
        "token_figure": charts.tokens_and_hits(timeline(asked), shown) if calls else None,
    }


def token_sentence(sums: Mapping[str, int], calls: int) -> str:
    sent, received = numbers.compact(sums["tokens_in"]), numbers.compact(sums["tokens_out"])
    return f"{sent} in and {received} out over {numbers.compact(calls)} {'call' if calls == 1 else 'calls'}."


def users_panel(asked: Asked, *, use_window: bool | None = None, count: int | None = None) -> dict[str, Any]:
    """Return one page of top users; alone it is what paging and filtering ask for."""
    use_window = queries.window_users(asked.range) is not None if use_window is None else use_window
    page, lost = users_page(asked, use_window=use_window)
    if count is None or asked.prefix:
        count = queries.user_count(asked.range, prefix=asked.prefix, use_window=use_window)
    starts_here = not (asked.cursor or asked.prefix) or bool(lost)
    dearest = (
        page.rows[:1] if starts_here else queries.top_users(asked.range, use_window=use_window, limit=1).rows
    )
    return {
        "asked": asked,
        "range": asked.range,
        "users": page,
        "user_count": count,
        "users_notice": lost,
        "highest": dearest[0].cost_exact if dearest else ZERO,
    }


def users_page(asked: Asked, *, use_window: bool) -> tuple[Page[UserRow], str]:
    """Return the page that the cursor names, or the first one and why it is that."""
    try:
        return queries.top_users(
            asked.range, use_window=use_window, limit=USERS_SHOWN, cursor=asked.cursor, prefix=asked.prefix
        ), ""
    except CursorError:
        first = queries.top_users(asked.range, use_window=use_window, limit=USERS_SHOWN, prefix=asked.prefix)
        return first, CURSOR_LOST
