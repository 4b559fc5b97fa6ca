"""The bodies of the cost routes, and how rows become them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from ninja import Field, Schema

from costs import cards
from costs.ranges import DateRange
from healthpilot.web import numbers
from healthpilot.web.pages import Page

Money = Annotated[
    str,
    Field(
        pattern=r"^-?\d+(\.\d+)?$",
        description="US dollars with every digit, as a string.",
        examples=["5.8074795"],
    ),
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


class SavingsBody(Schema):
    """What was saved and wasted over the range, at each day's prices; neither is part of the spend card."""

    saved_usd: Money = Field(description="skipped_usd and cached_usd together.")
    skipped_usd: Money = Field(description="What calls skipped for unchanged input would have cost.")
    cached_usd: Money = Field(description="What cached input tokens would have cost more at the full price.")
    failed_usd: Money = Field(description="What failed attempts and calls did cost.")
    retried_usd: Money = Field(description="What attempts after the first did cost; failed ones are in both.")
    skipped_calls: int
    cached_tokens: int
    failures: int
    retries: int


class SummaryBody(Schema):
    """The cards of the cost page."""

    range: RangeBody
    as_of: datetime | None = Field(description="When a rollup last wrote (UTC).")
    dates: list[date]
    incomplete: list[date] = Field(description="Days of the range that are not over.")
    cards: dict[str, CardBody]
    savings: SavingsBody


class ListBody(Schema):
    """A page of a list: the range it is of, and the cursors of its neighbours."""

    range: RangeBody
    limit: int = Field(description="The page size that was used: at most 200.")
    next_cursor: str | None = Field(description="For the page after this one; null at the end.")
    previous_cursor: str | None = Field(description="For the page before this one; null at the beginning.")


class UserBody(Schema):
    """One user's sums over the range."""

    user_id: str
    tier: str = Field(description="That of the user's last event in the range.")
    jobs: int
    ai_calls: int
    cpu_ms: int
    tokens_in: int
    tokens_out: int
    cost_usd: Money


class UsersBody(ListBody):
    """Users, the dearest first."""

    users: list[UserBody]


class UserTotalBody(UserBody):
    """One user's sums over the range; zeros and no tier where there was nothing."""

    tier: str | None  # type: ignore[assignment] # narrower than the class above


class UserDayBody(Schema):
    """One user's day."""

    date: date
    tier: str | None = Field(description="That of the user's last event of the day; null without one.")
    jobs: int
    ai_calls: int
    cpu_ms: int
    tokens_in: int
    tokens_out: int
    cost_usd: Money


class UserDetailBody(ListBody):
    """One user: the sums of the range, and its days by cursor."""

    user: UserTotalBody
    days: list[UserDayBody]


class PartBody(Schema):
    """What one tier, domain or model did and cost over the range."""

    key: str = Field(description="The tier, domain or model; an empty model stands for jobs.")
    jobs: int
    job_failures: int
    ai_calls: int
    cache_hits: int
    unpriced_calls: int = Field(description="Calls priced by the constants, for want of a price.")
    cpu_ms: int
    tokens_in: int
    cached_tokens: int = Field(description="The part of tokens_in that was cached.")
    tokens_out: int
    cost_usd: Money


class PartsBody(ListBody):
    """Tiers, domains or models, the dearest first."""

    items: list[PartBody]


class DayBody(Schema):
    """What everything did and cost on one day."""

    date: date
    complete: bool = Field(description="False for today.")
    users: int
    jobs: int
    job_failures: int
    ai_calls: int
    cache_hits: int
    unpriced_calls: int
    cpu_ms: int
    tokens_in: int
    tokens_out: int
    cost_usd: Money


class DaysBody(ListBody):
    """Every day of the range, the first one first; days without anything hold zeros."""

    days: list[DayBody]


def range_body(asked: DateRange) -> dict[str, Any]:
    return {"days": asked.days, "first_on": asked.first_on, "last_on": asked.last_on, "today": asked.today}


def list_body(asked: DateRange, limit: int, page: Page[Any]) -> dict[str, Any]:
    """Return what every list says beside its rows."""
    return {
        "range": range_body(asked),
        "limit": limit,
        "next_cursor": page.next_cursor,
        "previous_cursor": page.previous_cursor,
    }


def row_body(row: Any, **more: Any) -> dict[str, Any]:
    """Return a row of sums with its money as a string."""
    return {**vars(row), "cost_usd": numbers.plain(row.cost_exact), **more}


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
