"""When caps begin anew: at the next local midnight, or at that of the next month's first day."""

from datetime import date, datetime, timedelta

from costs.days import cost_zone, local_today, midnights


def next_reset(day: date, window: str) -> datetime:
    """Return the UTC instant at which the day's or the month's caps that hold on a local day begin anew."""
    following = day + timedelta(days=1)
    if window == "month":
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    # Of a midnight that comes twice the first begins the day; one that never comes has an earlier reading.
    readings = sorted(midnights(following, cost_zone()))
    return next(at for at in readings if local_today(at) >= following)
