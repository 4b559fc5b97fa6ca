"""What a price and a reprice need, with a sentence for everything that cannot be meant."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms

from costs.prices.setting import NewPrice
from costs.pricing import decimal_places

PLACES = 9
MOST_PER_MILLION = Decimal(10_000)
MOST_PER_REQUEST = Decimal(100)
EARLIEST = date(2015, 1, 1)
AHEAD = timedelta(days=366)
MOST_DAYS = 3660
# Plain ASCII digits: Decimal itself would take ٣, 1_000, 1e9 and NaN.
NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]+)?", re.ASCII)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class UsdField(forms.CharField):
    """An amount of US dollars, exact: digits with a point, never below zero, at most nine places."""

    def __init__(self, *, most: Decimal, unit: str, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **options)
        self.most, self.unit = most, unit

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        if not NUMBER.fullmatch(text):
            raise forms.ValidationError(why_no_amount(text))
        amount = Decimal(text)
        if decimal_places(amount) > PLACES:
            raise forms.ValidationError(f"At most {PLACES} decimal places are kept; {text} has more.")
        if amount > self.most:
            raise forms.ValidationError(f"${text} {self.unit} is above ${self.most:,}: check the unit.")
        return amount


def why_no_amount(text: str) -> str:
    """Say what is wrong with a text that is no amount."""
    if text.startswith(("-", "−")):
        return "A price is not below zero."
    if "," in text:
        return "Write the decimal point as a point and leave out separators, such as 1250.75."
    return "Write an amount in digits, such as 0.15."


class PriceForm(forms.Form):
    """A model's price from a local day on; seen is the newest of its rows when the form was made."""

    llm_model = forms.CharField(
        label="Model",
        max_length=40,
        help_text="As your events name it, letter by letter.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )
    input_usd = UsdField(label="Input", most=MOST_PER_MILLION, unit="per million tokens")
    cached_usd = UsdField(
        label="Cached input",
        most=MOST_PER_MILLION,
        unit="per million tokens",
        required=False,
        help_text="Empty: as input.",
    )
    output_usd = UsdField(label="Output", most=MOST_PER_MILLION, unit="per million tokens")
    request_usd = UsdField(
        label="Extra per request",
        most=MOST_PER_REQUEST,
        unit="per request",
        required=False,
        help_text="USD for each call made. Empty: none.",
    )
    effective_from = forms.DateField(
        label="From",
        input_formats=["%Y-%m-%d"],
        help_text="The first local day at this price.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write a day that exists, such as 2026-05-31."},
    )
    reason = forms.CharField(
        label="Why", max_length=200, help_text="Kept in the history, such as “new contract”."
    )
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today

    def clean_llm_model(self) -> str:
        return free_of_controls(self.cleaned_data["llm_model"])

    def clean_reason(self) -> str:
        return free_of_controls(self.cleaned_data["reason"])

    def clean_effective_from(self) -> date:
        day: date = self.cleaned_data["effective_from"]
        if day < EARLIEST:
            raise forms.ValidationError(f"No price before {EARLIEST} is kept.")
        if day > self.today + AHEAD:
            raise forms.ValidationError(f"{day} is more than a year ahead; today is {self.today}.")
        return day

    def clean(self) -> dict[str, Any]:
        values = dict(super().clean() or {})
        given, cached = values.get("input_usd"), values.get("cached_usd")
        if given is not None and cached is not None and cached > given:
            self.add_error("cached_usd", f"Cached input is not dearer than input (${given}).")
        return values

    def new_price(self, *, created_by: str) -> NewPrice:
        """Return the price that a valid form asks for."""
        values = self.cleaned_data
        given, cached = values["input_usd"], values["cached_usd"]
        return NewPrice(
            llm_model=values["llm_model"],
            effective_from=values["effective_from"],
            amounts=(
                given,
                given if cached is None else cached,
                values["output_usd"],
                values["request_usd"] or Decimal(0),
            ),
            reason=values["reason"],
            created_by=created_by,
        )


def free_of_controls(text: str) -> str:
    """Return a text without characters that nobody types; raises ValidationError."""
    if CONTROL.search(text):
        raise forms.ValidationError("Control characters are not kept.")
    return text


class SpanForm(forms.Form):
    """The days to reprice; both empty mean all that differ."""

    first = forms.DateField(input_formats=["%Y-%m-%d"], required=False)
    last = forms.DateField(input_formats=["%Y-%m-%d"], required=False)

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today

    def add_prefix(self, field_name: str) -> str:
        return {"first": "from", "last": "to"}.get(field_name, field_name)

    def span(self) -> tuple[date, date]:
        """Return the span asked for; where it says nothing sound, the last ten years."""
        everything = self.today - timedelta(days=MOST_DAYS - 1), self.today
        if not self.is_valid():
            return everything
        first = self.cleaned_data.get("first") or everything[0]
        last = min(self.cleaned_data.get("last") or self.today, self.today)
        return (first, last) if first <= last else everything
