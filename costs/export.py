"""Every user's day of a range as one CSV file, streamed: however long, it never lies in memory whole."""

from collections.abc import Iterator

from costs.models import CostUserDaily
from costs.ranges import DateRange
from healthpilot.web.sheets import Cell, Sheet

CHUNK_ROWS = 1000
FIELDS = ("date", "user_id", "tier", "jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out", "cost_exact")
HEADS = ("date", "user_id", "tier", "jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out", "cost_usd")


def user_days(asked: DateRange) -> Sheet:
    """Return the sheet of all users' days, day by day, then by user; rows are read as they are written."""
    return Sheet(f"user-days-{asked.first_on}-{asked.last_on}", HEADS, rows(asked))


def rows(asked: DateRange) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows through one server-side cursor a day: none stays open as long as a slow reader takes."""
    for day in asked.dates:
        of_day = CostUserDaily.objects.filter(date=day).order_by("user_id")
        yield from of_day.values_list(*FIELDS).iterator(chunk_size=CHUNK_ROWS)
