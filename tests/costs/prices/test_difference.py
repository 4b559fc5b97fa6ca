"""The difference to the price library: what is new, changed, kept by hand, gone, zero or unknown."""

from datetime import date
from decimal import Decimal

import pytest

from costs.models import ModelPrice
from costs.prices import library
from costs.prices.difference import Line, Status, compare, write
from tests.costs.events import call, store
from tests.costs.prices.rows import store_price

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, TODAY = date(2026, 5, 1), date(2026, 5, 31)


def seen(*models: str, provider: str = "openai") -> None:
    store(*(call("2026-05-04 10:00", llm_model=model, provider=provider) for model in models))


def lines(first: date = FIRST, **options: bool) -> dict[str, Line]:
    return {line.model: line for line in compare(first, TODAY, **options)}


def test_a_model_that_was_called_gets_the_librarys_price_and_is_then_the_same() -> None:
    seen("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    found = lines()
    assert [line.status.value for line in found.values()] == ["new", "new"]
    for line in found.values():
        write(line, created_by="tests")
    row = ModelPrice.objects.get(llm_model="gpt-4o-mini")
    assert row.amounts == (Decimal("0.15"), Decimal("0.075"), Decimal("0.6"), Decimal(0))
    assert (row.effective_from, row.source) == (FIRST, library.source())
    assert [line.status.value for line in lines().values()] == ["same", "same"]
    assert ModelPrice.objects.count() == 2


def test_a_changed_price_says_by_how_much_with_its_sign() -> None:
    seen("gpt-4o-mini")
    store_price(
        "0.30", "0.075", "0.5", llm_model="gpt-4o-mini", source="genai-prices 0.0.1", effective_from=FIRST
    )
    line = lines()["gpt-4o-mini"]
    assert line.status is Status.CHANGED
    assert line.as_json()["change_percent"] == {"input": "-50.00", "output": "+20.00"}


def test_a_price_set_by_hand_is_kept_unless_told_otherwise() -> None:
    seen("gpt-4o-mini")
    store_price("9", llm_model="gpt-4o-mini", effective_from=FIRST)
    assert lines()["gpt-4o-mini"].status is Status.KEPT
    assert lines(replace_kept=True)["gpt-4o-mini"].status is Status.CHANGED


def test_what_the_library_does_not_know_is_unknown_and_what_it_no_longer_knows_is_gone() -> None:
    seen("in-house-7b", "lost-model")
    store_price("9", llm_model="lost-model", source="genai-prices 0.0.1", effective_from=FIRST)
    found = lines()
    assert (found["in-house-7b"].status, found["lost-model"].status) == (Status.UNKNOWN, Status.GONE)


def test_a_model_without_a_token_price_is_unknown_not_free() -> None:
    seen("whisper-1")
    assert lines()["whisper-1"].status is Status.UNKNOWN


def test_a_model_that_is_served_at_home_has_no_price_though_others_sell_it() -> None:
    seen("gpt-3.5-turbo", provider="localhost")
    assert lines()["gpt-3.5-turbo"].status is Status.UNKNOWN


def test_a_provider_may_be_recorded_as_the_host_of_its_api() -> None:
    seen("mistral-tiny", provider="api.mistral.ai")
    assert lines()["mistral-tiny"].status is Status.NEW


def test_a_price_of_zero_in_the_library_is_a_status_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen("gpt-4o-mini")
    free = library.LibraryPrice("openai", (Decimal(0),) * 4)
    monkeypatch.setattr(library, "price_on", lambda *_: free)
    assert lines()["gpt-4o-mini"].status is Status.ZERO


def test_a_price_with_tiers_says_that_it_is_the_first() -> None:
    seen("claude-sonnet-4-5", provider="anthropic")
    assert "base tier" in lines()["claude-sonnet-4-5"].note


def test_changes_that_the_library_dates_become_rows_of_their_own() -> None:
    """The library's own history decides which model: one whose price has a start date."""
    name, provider, start = next(
        (model.id, found.id, price.constraint.start_date)
        for found in library.snapshot().providers
        for model in found.models
        if isinstance(model.prices, list) and len(model.id) <= 40
        for price in model.prices
        if getattr(price.constraint, "start_date", TODAY) < TODAY
        and library.find(model.id, found.id) is not None
        and library.price_on(model.id, found.id, price.constraint.start_date) is not None
        and library.price_on(model.id, found.id, date(2020, 1, 1)) is not None
        and library.price_on(model.id, found.id, price.constraint.start_date).amounts  # type: ignore[union-attr] # it is priced
        != library.price_on(model.id, found.id, date(2020, 1, 1)).amounts  # type: ignore[union-attr] # it is priced
    )
    seen(name, provider=provider)
    days = [line.effective_from for line in compare(date(2020, 1, 1), TODAY)]
    assert days[0] == date(2020, 1, 1)
    assert start in days


def test_all_names_models_nobody_called_and_only_those_whose_name_one_provider_has() -> None:
    found = list(library.every_model(longest=40))
    names = [one.model for one in found]
    assert len(names) == len(set(names)) > 100
    assert max(map(len, names)) <= 40
