"""When caps begin anew: at the next local midnight, or at that of the next month's first day."""

from datetime import date, datetime, timedelta

from costs.days import cost_zone, midnights


def next_reset(day: date, window: str) -> datetime:
    """Return the UTC instant at which the day's or the month's caps that hold on a local day begin anew."""
    following = day + timedelta(days=1)
    if window == "month":
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return max(midnights(following, cost_zone()))
