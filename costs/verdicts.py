"""What budget checks answered, as the budgets page lists it: the newest first, by cursor."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from costs.models import CostDecision
from healthpilot.web import tables
from healthpilot.web.pages import DEFAULT_LIMIT, Cursor, Page, keyset_page
from healthpilot.web.tables import Column, Row, Table

WORDS: Final = {"run": "Ran", "downgrade": "Smaller model", "defer": "Waits"}


def newest(*, waiting_only: bool, cursor: str | None) -> Page[CostDecision]:
    """Return the newest answers of budget checks; raises CursorError."""
    rows = CostDecision.objects.exclude(action="run") if waiting_only else CostDecision.objects.all()

    def fetch(start: Cursor | None, limit: int) -> Sequence[CostDecision]:
        if start is None:
            return list(rows.order_by("-decided_at", "-id")[:limit])
        moment, number = start.key
        if start.backwards:
            after = rows.extra(where=["(decided_at, id) > (%s, %s)"], params=[moment, number])
            return list(after.order_by("decided_at", "id")[:limit])
        before = rows.extra(where=["(decided_at, id) < (%s, %s)"], params=[moment, number])
        return list(before.order_by("-decided_at", "-id")[:limit])

    return keyset_page(
        fetch,
        lambda row: (row.decided_at.isoformat(), str(row.pk)),
        scope=f"decisions:{waiting_only}",
        cursor=cursor,
        limit=DEFAULT_LIMIT,
    )


def table(page: Page[CostDecision], *, query: Mapping[str, str]) -> Table:
    """Return the table of answers."""
    columns = [
        Column("When (UTC)", tables.NAME),
        Column("Answer", tables.MAIN),
        Column("Whose", tables.SECOND),
        Column("Why", tables.PLAIN),
        Column("Checks", tables.LESSER, numeric=True),
        Column("May run from", tables.LESSER),
    ]
    rows = [
        Row(
            [
                f"{row.decided_at:%d %b %H:%M:%S}",
                WORDS.get(row.action, row.action),
                " · ".join(filter(None, (row.tier, row.domain, row.user_id))),
                row.reason,
                f"{row.checks:,}",
                f"{row.release_at:%d %b %H:%M} UTC" if row.release_at else "–",
            ],
            key=f"{row.decided_at:%H:%M:%S}",
        )
        for row in page.rows
    ]

    def url(cursor: str | None) -> str:
        return f"?{urlencode({**query, 'cursor': cursor})}#decisions" if cursor else ""

    caption = "Answers of budget checks, the newest first"
    return Table("decisions", caption, columns, rows, url(page.previous_cursor), url(page.next_cursor))
