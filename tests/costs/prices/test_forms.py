"""The form of a price: every wrong amount gets its own sentence, and right ones keep every digit."""

from datetime import date
from decimal import Decimal

import pytest

from costs.prices.forms import PriceForm

TODAY = date(2026, 5, 31)
RIGHT = {
    "llm_model": "gpt-4o-mini", "input_usd": "0.15", "output_usd": "0.6",
    "effective_from": "2026-05-01", "reason": "list price",
}  # fmt: skip


def errors(**values: str) -> dict[str, list[str]]:
    form = PriceForm(RIGHT | values, today=TODAY)
    return {name: [str(error) for error in found] for name, found in form.errors.items()}


def test_a_right_price_keeps_every_digit_and_fills_in_what_may_be_left_out() -> None:
    form = PriceForm(RIGHT | {"input_usd": "0.123456789"}, today=TODAY)
    assert form.is_valid()
    assert form.new_price(created_by="maren").amounts == (
        Decimal("0.123456789"), Decimal("0.123456789"), Decimal("0.6"), Decimal(0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-1", "not below zero"),
        ("NaN", "in digits"),
        ("Infinity", "in digits"),
        ("1e3", "in digits"),
        ("1_000", "in digits"),
        ("٣", "in digits"),
        ("１", "in digits"),
        ("0,15", "decimal point"),
        ("$0.15", "in digits"),
        ("0.1234567891", "At most 9 decimal places"),
        ("10001", "check the unit"),
        ("", "required"),
    ],
)
def test_an_amount_that_cannot_be_meant_is_refused_with_its_reason(text: str, said: str) -> None:
    assert said in errors(input_usd=text)["input_usd"][0]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("effective_from", "2026-02-30", "a day that exists"),
        ("effective_from", "1999-01-01", "No price before"),
        ("effective_from", "2028-01-01", "more than a year ahead"),
        ("cached_usd", "0.16", "not dearer than input"),
        ("llm_model", "m" * 41, "at most 40"),
        ("llm_model", "a\x00b", "Null characters"),
        ("llm_model", "a\tb", "Control characters"),
        ("reason", "", "required"),
    ],
)
def test_other_fields_say_what_is_wrong_too(name: str, text: str, said: str) -> None:
    assert said in errors(**{name: text})[name][0]


def test_a_model_of_any_script_is_taken_as_it_is() -> None:
    assert errors(llm_model="模型🦄/<script>") == {}
