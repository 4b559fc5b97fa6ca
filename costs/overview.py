"""Everything the cost page shows: gathered by a handful of queries and put into sentences."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from costs import cards, month, panels, queries, user_queries
from costs.budget_card import budget_card
from costs.forms import Asked
from costs.marks import marks
from costs.prices import repricing
from costs.prices.repricing import differences
from costs.queries import Day, Extent
from costs.ranges import MAX_DAYS, ONE_DAY, DateRange, spoken
from costs.savings import Savings

STALE_AFTER = timedelta(hours=26)
WEEK = 7
PREVIEWS = (
    ("Spend", "Day by day, beside the period before"),
    ("Projected month", "Where it will end, with a band"),
    ("Budget used", "Of what everything may cost"),
    ("Cache hit-rate", "And the money it saved"),
    ("Jobs", "And how many failed"),
    ("AI calls", "With tokens in and out"),
    ("Active users", "And who costs the most"),
    ("Unpriced calls", "Models without a price"),
)


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
    rows = queries.days(days_needed(asked.range))
    if not any(has_events(rows[day]) for day in asked.range.dates):
        return context | elsewhere(extent, asked.range)
    return context | {"state": "ready"} | ready(asked, rows, extent)


def days_needed(asked: DateRange) -> list[date]:
    """Return the days to read at once: the range, what it is compared with, and the month if it lies near."""
    return [*asked.previous_dates, *asked.dates, *(month.days_read(asked.today) if asked.has_today else ())]


def ready(asked: Asked, rows: Mapping[date, Day], extent: Extent) -> dict[str, Any]:
    in_window = user_queries.window_users(asked.range)
    use_window = in_window is not None
    users = user_queries.user_count(asked.range, use_window=False) if in_window is None else in_window
    unpriced = queries.unpriced_models(asked.range)
    previous = asked.range.previous_dates if asked.compares else []
    compared = (*asked.range.previous_dates, *asked.range.dates)
    pointed = marks(asked.range, {day: rows[day].cost_exact for day in compared})
    ends = month.month(extent, asked.range.today, rows)
    return {
        "compared": spoken(previous[0], previous[-1]) if previous else "",
        "cards": cards.cards(asked.range, rows, users=users, unpriced=unpriced, today=asked.range.today),
        "unpriced": unpriced,
        "savings": Savings.of(rows[day] for day in asked.range.dates),
        **differences(repricing.preview(asked.range.first_on, asked.range.last_on)),
        **month.panel(ends),
        "budget": budget_card(ends.rows, asked.range.today),
        **(panels.change_panel(asked) if previous else {}),
        **panels.tier_panel(asked, pointed),
        **panels.domain_panel(asked),
        **panels.token_panel(asked, rows),
        **panels.users_panel(asked, use_window=use_window, count=users),
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
