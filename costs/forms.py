"""The query string of the cost pages: what it may say, and what is meant when it says something else."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from urllib.parse import urlencode

from django import forms
from django.core.validators import MinValueValidator
from django.http import QueryDict

from costs.ranges import DEFAULT_DAYS, FIRST_DAY, MAX_DAYS, DateRange, ending_today

VIEWS = ("chart", "table", "both")
# Each card that draws remembers its own choice; the name is that of the query parameter.
DEFAULT_VIEWS = {
    "view": "both",
    "view_month": "chart",
    "view_domains": "chart",
    "view_tokens": "chart",
    "view_history": "both",
}
COMPARE = ("previous", "none")
BY = ("domain", "model", "user", "tier")
# In the order of the columns.
SORTS = ("user", "jobs", "ai_calls", "cpu", "tokens_in", "tokens_out", "cost")
DEFAULT_SORT = "-cost"
QUERY_NAMES = {"from_on": "from", "to_on": "to"}


def choice(parameter: str, names: tuple[str, ...]) -> forms.ChoiceField:
    said = {"invalid_choice": f"{parameter} must be one of {', '.join(names)}"}
    return forms.ChoiceField(required=False, choices=[(name, name) for name in names], error_messages=said)


class CostForm(forms.Form):
    """days, or from and to; what is compared, drawn, sorted and filtered. Every error names the parameter."""

    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_DAYS,
        error_messages={
            "invalid": "days must be a whole number such as 7, 30 or 90",
            "min_value": "days must be at least 1",
            "max_value": f"days must be at most {MAX_DAYS}",
        },
    )
    from_on = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    to_on = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    compare = choice("compare", COMPARE)
    by = choice("by", BY)
    sort = choice("sort", (*SORTS, *(f"-{name}" for name in SORTS)))
    tier = forms.CharField(required=False, max_length=16, strip=False)
    q = forms.CharField(required=False, max_length=40, strip=True)

    def __init__(self, query: QueryDict, *, today: date) -> None:
        super().__init__(query)
        self.today = today
        for name in ("from_on", "to_on"):
            said = f"{QUERY_NAMES[name]} must be a day that exists, such as {today}"
            self.fields[name].error_messages["invalid"] = said
            too_early = f"{QUERY_NAMES[name]} must be a day from {FIRST_DAY.year} on"
            self.fields[name].validators = [MinValueValidator(FIRST_DAY, too_early)]
        for name in DEFAULT_VIEWS:
            self.fields[name] = choice(name, VIEWS)
        self.fields["q"].error_messages["max_length"] = "a user id has at most 40 characters"
        self.fields["tier"].error_messages["max_length"] = "a tier has at most 16 characters"

    def add_prefix(self, field_name: str) -> str:
        return QUERY_NAMES.get(field_name, field_name)

    def clean(self) -> dict[str, object]:
        values = dict(super().clean() or {})
        first, last = values.get("from_on"), values.get("to_on")
        if isinstance(first, date) and isinstance(last, date):
            self.check_order(first, min(last, self.today))
        elif (first or last) and not self.errors:
            raise forms.ValidationError("from and to belong together: give both days")
        return values

    def check_order(self, first: date, last: date) -> None:
        if first > self.today:
            raise forms.ValidationError(f"from={first} lies in the future; today is {self.today}")
        if first > last:
            raise forms.ValidationError(f"from={first} is after to={last}")
        if (last - first).days >= MAX_DAYS:
            raise forms.ValidationError(f"a range has at most {MAX_DAYS} days")


@dataclass(frozen=True)
class Asked:
    """What a request for a cost page means, with a sentence for everything that it could not mean."""

    range: DateRange
    compares: bool = True
    by: str = BY[0]
    sort: str = DEFAULT_SORT
    tier: str | None = None
    prefix: str = ""
    cursor: str = ""
    views: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_VIEWS))
    problems: list[str] = field(default_factory=list)

    @property
    def view(self) -> str:
        return self.views["view"]

    @property
    def sorted_by(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def descends(self) -> bool:
        return self.sort.startswith("-")

    @cached_property
    def parameters(self) -> dict[str, str]:
        """All that differs from a first visit, in a fixed order, the range among it."""
        chosen = {
            "compare": "" if self.compares else "none",
            "by": self.by if self.by != BY[0] else "",
            **{name: view if view != DEFAULT_VIEWS[name] else "" for name, view in self.views.items()},
            "sort": self.sort if self.sort != DEFAULT_SORT else "",
            "q": self.prefix,
            "cursor": self.cursor,
        }
        span = dict(part.split("=") for part in self.range.query.split("&"))
        tier = {} if self.tier is None else {"tier": self.tier}
        return span | {name: value for name, value in chosen.items() if value} | tier

    def query(self, **changes: str | None) -> str:
        """Return the query string with some parameters changed; a cursor lasts only while all else does.

        None removes a parameter; days removes from and to, and the reverse.
        """
        values: dict[str, str | None] = dict(self.parameters)
        if changes and "cursor" not in changes:
            values.pop("cursor", None)
        if changes.keys() & {"days", "from"}:
            values = {name: value for name, value in values.items() if name not in {"days", "from", "to"}}
            values = {name: changes[name] for name in ("days", "from", "to") if name in changes} | values
        return urlencode({name: value for name, value in (values | changes).items() if value is not None})

    def on_day(self, day: date) -> str:
        """Return the query string that shows one day alone."""
        return f"from={day}&to={day}{self._all_but_the_range}"

    @cached_property
    def _all_but_the_range(self) -> str:
        any_day = "0001-01-01"
        return self.query(**{"from": any_day, "to": any_day}).removeprefix(f"from={any_day}&to={any_day}")

    @property
    def frozen_query(self) -> str:
        """The same with the days that a relative range means now: what a copied link says."""
        days = {"from": str(self.range.first_on), "to": str(self.range.last_on)}
        return self.query(**days, cursor=self.cursor or None)


def asked(query: QueryDict, *, today: date) -> Asked:
    """Return what the query string asks for; where it is wrong, what is usual, with the reasons."""
    return understood(query.urlencode(), today)


@lru_cache(maxsize=256)
def understood(text: str, today: date) -> Asked:
    """Read a query string once: a form takes longer than all else that a kept page needs."""
    query = QueryDict(text)
    form = CostForm(query, today=today)
    form.is_valid()
    values = form.cleaned_data
    problems = [str(error) for errors in form.errors.values() for error in errors]
    return Asked(
        range=date_range(values, today) if not form.non_field_errors() else ending_today(DEFAULT_DAYS, today),
        compares=values.get("compare") != "none",
        by=values.get("by") or BY[0],
        sort=values.get("sort") or DEFAULT_SORT,
        tier=values.get("tier") if "tier" in query and "tier" not in form.errors else None,
        prefix=values.get("q") or "",
        cursor=query.get("cursor", ""),
        views={name: values.get(name) or usual for name, usual in DEFAULT_VIEWS.items()},
        problems=problems,
    )


def date_range(values: dict[str, object], today: date) -> DateRange:
    first, last, days = values.get("from_on"), values.get("to_on"), values.get("days")
    if isinstance(first, date) and isinstance(last, date):
        return DateRange(first, min(last, today), today)
    return ending_today(days if isinstance(days, int) else DEFAULT_DAYS, today)
