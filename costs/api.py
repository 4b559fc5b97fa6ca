"""GET /api/admin/cost/…: the figures of the cost page as JSON. Money is a string with every digit."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from costs import cards, queries
from costs.days import local_today
from costs.ranges import MAX_DAYS, DateRange, ending_today
from healthpilot.tokens.access import token_or_role
from healthpilot.tokens.scopes import COST_READ
from healthpilot.web import numbers
from healthpilot.web.answers import ErrorBody
from healthpilot.web.pages import DEFAULT_LIMIT, MAX_LIMIT, clamped
from healthpilot.web.roles import Role

router = Router(auth=token_or_role(COST_READ, Role.ADMIN), tags=["cost"])

NO_NUL = r"^[^\x00]*$"
Days = Annotated[
    int, Query(7, ge=1, le=MAX_DAYS, description="Local days that end today, today included and incomplete.")
]
Money = Annotated[
    str, Field(pattern=r"^-?\d+(\.\d+)?$", description="US dollars with every digit, as a string.")
]


class RangeBody(Schema):
    """Local days of COST_TIMEZONE, both ends included."""

    days: int
    first_on: date
    last_on: date
    today: date = Field(description="The one day that is incomplete.")


class CardBody(Schema):
    """One key figure. Complete days are compared with as many before; no change is given without those."""

    kind: Literal["money", "count", "percent"]
    total: str | int | None = Field(
        description="Over the whole range, today included. Money and percent are strings."
    )
    complete: str | int | None = Field(description="Over complete days only; for users, of the average day.")
    previous: str | int | None = Field(description="Over as many complete days one range earlier.")
    change: str | None = Field(description="Percent, or points where the figure itself is in percent.")
    series: list[str | int | None] = Field(description="One value a day, in the order of dates.")


class SummaryBody(Schema):
    range: RangeBody
    as_of: datetime | None = Field(description="When a rollup last wrote (UTC).")
    dates: list[date]
    incomplete: list[date] = Field(description="Days of the range that are not over.")
    cards: dict[str, CardBody]


class UserBody(Schema):
    user_id: str
    tier: str
    jobs: int
    ai_calls: int
    cpu_ms: int
    tokens_in: int
    tokens_out: int
    cost_usd: Money


class UsersBody(Schema):
    range: RangeBody
    limit: int
    users: list[UserBody]
    next_cursor: str | None
    previous_cursor: str | None


REFUSALS = {401: ErrorBody, 403: ErrorBody, 422: ErrorBody}


@router.get(
    "/summary",
    response={200: SummaryBody, **REFUSALS},
    operation_id="cost_summary",
    summary="Key figures of a range",
)
def summary(request: HttpRequest, days: Days) -> dict[str, Any]:
    """Return the figures of the cost page, each with a value per day."""
    now = timezone.now()
    asked = ending_today(days, local_today(now))
    rows = queries.days([*asked.previous_dates, *asked.dates])
    in_window = queries.window_users(asked)
    users = queries.user_count(asked, use_window=False) if in_window is None else in_window
    shown = cards.cards(asked, rows, users=users, unpriced=(), today=asked.today) + cards.sums(asked, rows)
    return {
        "range": range_body(asked),
        "as_of": queries.rolled_up_at(),
        "dates": asked.dates,
        "incomplete": [day for day in asked.dates if day >= asked.today],
        "cards": {card.key: card_body(card) for card in shown},
    }


@router.get(
    "/users", response={200: UsersBody, **REFUSALS}, operation_id="cost_users", summary="Top users by cost"
)
def users(
    request: HttpRequest,
    days: Days,
    limit: Annotated[
        int, Query(DEFAULT_LIMIT, ge=1, description=f"Page size; more than {MAX_LIMIT} gives {MAX_LIMIT}.")
    ],
    cursor: Annotated[
        str | None, Query(None, description="next_cursor or previous_cursor of a page before.")
    ],
    prefix: Annotated[
        str, Query("", max_length=40, pattern=NO_NUL, description="Only users whose id starts so.")
    ],
) -> dict[str, Any]:
    """Return users by their cost over the range, the dearest first, a page at a time."""
    asked = ending_today(days, local_today(timezone.now()))
    size = clamped(limit)
    page = queries.top_users(
        asked, use_window=queries.window_users(asked) is not None, limit=size, cursor=cursor, prefix=prefix
    )
    return {
        "range": range_body(asked),
        "limit": size,
        "users": [vars(row) | {"cost_usd": numbers.plain(row.cost_exact)} for row in page.rows],
        "next_cursor": page.next_cursor,
        "previous_cursor": page.previous_cursor,
    }


def range_body(asked: DateRange) -> dict[str, Any]:
    return {"days": asked.days, "first_on": asked.first_on, "last_on": asked.last_on, "today": asked.today}


def card_body(card: cards.Card) -> dict[str, Any]:
    return {
        "kind": card.kind,
        "total": written(card.total),
        "complete": written(card.current),
        "previous": written(card.previous),
        "change": None if card.change is None else numbers.plain(numbers.rounded(card.change, 4)),
        "series": [written(value) for value in card.series],
    }


def written(figure: cards.Figure) -> str | int | None:
    """Return money and rates as strings, counts as numbers; no figure passes through a float."""
    return numbers.plain(figure) if isinstance(figure, Decimal) else figure
