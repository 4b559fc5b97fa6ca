"""The query string of the cost page: what it may say, and the range it means when it says something else."""

from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.http import QueryDict

from costs.ranges import DEFAULT_DAYS, MAX_DAYS, DateRange, ending_today

VIEWS = ("chart", "table", "both")
DEFAULT_VIEW = "both"
QUERY_NAMES = {"from_on": "from", "to_on": "to"}


class CostForm(forms.Form):
    """days, or from and to; a view; the users' filter. Every error names the parameter and what it may be."""

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
    view = forms.ChoiceField(required=False, choices=[(name, name) for name in VIEWS])
    q = forms.CharField(required=False, max_length=40, strip=True)

    def __init__(self, query: QueryDict, *, today: date) -> None:
        super().__init__(query)
        self.today = today
        for name in ("from_on", "to_on"):
            said = f"{QUERY_NAMES[name]} must be a day that exists, such as {today}"
            self.fields[name].error_messages["invalid"] = said
        self.fields["view"].error_messages["invalid_choice"] = f"view must be one of {', '.join(VIEWS)}"
        self.fields["q"].error_messages["max_length"] = "a user id has at most 40 characters"

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
    """What a request for the cost page means, with a sentence for everything that it could not mean."""

    range: DateRange
    view: str = DEFAULT_VIEW
    prefix: str = ""
    cursor: str = ""
    problems: list[str] = field(default_factory=list)


def asked(query: QueryDict, *, today: date) -> Asked:
    """Return what the query string asks for; where it is wrong, the usual range and view with the reasons."""
    form = CostForm(query, today=today)
    form.is_valid()
    values = form.cleaned_data
    problems = [str(error) for errors in form.errors.values() for error in errors]
    return Asked(
        range=date_range(values, today) if not form.non_field_errors() else ending_today(DEFAULT_DAYS, today),
        view=values.get("view") or DEFAULT_VIEW,
        prefix=values.get("q") or "",
        cursor=query.get("cursor", ""),
        problems=problems,
    )


def date_range(values: dict[str, object], today: date) -> DateRange:
    first, last, days = values.get("from_on"), values.get("to_on"), values.get("days")
    if isinstance(first, date) and isinstance(last, date):
        return DateRange(first, min(last, today), today)
    return ending_today(days if isinstance(days, int) else DEFAULT_DAYS, today)
