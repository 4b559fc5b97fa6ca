"""What the cost routes are asked for: a range of days, a page of it, a user."""

from datetime import date
from typing import Annotated, Self

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Schema
from ninja.errors import ValidationError
from pydantic import AfterValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from costs.days import local_today
from costs.ranges import FIRST_DAY, MAX_DAYS, DateRange, ending_today
from healthpilot.web.pages import DEFAULT_LIMIT, MAX_LIMIT, clamped

NO_NUL = r"^[^\x00]*$"
DEFAULT_DAYS = 7


def a_day(text: str) -> str:
    """Refuse what is no day of the calendar from 2000 on."""
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or day < FIRST_DAY:
        raise PydanticCustomError("day", "must be a day that exists, such as 2026-01-31, from 2000 on")
    return text


DayText = Annotated[
    str,
    AfterValidator(a_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-01-31"]}),
]


class RangeQuery(Schema):
    """Local days: the last so many, or from one to another."""

    days: int | None = Field(
        None,
        ge=1,
        le=MAX_DAYS,
        description=f"Local days that end today, today included: {DEFAULT_DAYS} unless given.",
    )
    first: DayText | None = Field(None, alias="from", description="First day, with to, instead of days.")
    last: DayText | None = Field(None, alias="to", description="Last day, included, with from.")

    @model_validator(mode="after")
    def check_range(self) -> Self:
        """Refuse half a range, two at once, one that runs backwards or is too long."""
        if (self.first is None) is not (self.last is None):
            raise PydanticCustomError("range", "from and to belong together: give both days")
        if self.first and self.last:
            if self.days is not None:
                raise PydanticCustomError("range", "give days, or from and to, not both")
            self.check_order(date.fromisoformat(self.first), date.fromisoformat(self.last))
        return self

    def check_order(self, first: date, last: date) -> None:
        if first > last:
            raise PydanticCustomError("range", "from is after to")
        if (last - first).days >= MAX_DAYS:
            raise PydanticCustomError("range", f"a range has at most {MAX_DAYS} days")
        if first > local_today(timezone.now()):
            raise PydanticCustomError("range", "from lies in the future")

    def asked(self) -> DateRange:
        """Return the range that is meant; it never reaches beyond today."""
        today = local_today(timezone.now())
        if self.first and self.last:
            return DateRange(date.fromisoformat(self.first), min(date.fromisoformat(self.last), today), today)
        return ending_today(self.days or DEFAULT_DAYS, today)


class ListQuery(RangeQuery):
    """A page of a list over a range."""

    limit: int = Field(
        DEFAULT_LIMIT, ge=1, description=f"Page size; more than {MAX_LIMIT} gives {MAX_LIMIT}."
    )
    cursor: str | None = Field(None, description="next_cursor or previous_cursor of a page before.")

    @property
    def size(self) -> int:
        return clamped(self.limit)


class UsersQuery(ListQuery):
    """A page of users."""

    prefix: str = Field("", max_length=40, pattern=NO_NUL, description="Only users whose id starts so.")


class UserQuery(ListQuery):
    """One user's days."""

    user_id: str = Field(
        min_length=1, max_length=40, pattern=NO_NUL, description="The user, written exactly so."
    )


def require_known(request: HttpRequest, query: RangeQuery) -> None:
    """Refuse a parameter that the route does not have, or twice: it would change nothing in silence."""
    known = {field.alias or name for name, field in type(query).model_fields.items()}
    for name, values in request.GET.lists():
        said = "is given twice" if len(values) > 1 else ""
        if name not in known:
            said = f"is no parameter of this address; there are {', '.join(sorted(known))}"
        if said:
            raise ValidationError([{"loc": ("query", name), "msg": said, "type": "unknown"}])
