"""Prices: exact arithmetic, shares that add up, figures written out."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from costs.pricing import (
    Rates,
    TokenRates,
    apportion,
    constant_rates,
    decimal_places,
    job_cost,
    llm_cost,
    plain,
    round_usd,
)

prices = st.decimals(min_value=0, max_value=10**6, places=9, allow_nan=False, allow_infinity=False)
counts = st.integers(min_value=0, max_value=2**62)
costs = st.decimals(min_value=0, max_value=10**6, places=15, allow_nan=False, allow_infinity=False)
FREE = TokenRates(Decimal(0), Decimal(0), Decimal(0))


def standard_rates() -> Rates:
    return constant_rates(
        cpu_ms_usd=Decimal("0.00000002"),
        db_row_1k_usd=Decimal("0.0005"),
        input_usd=Decimal("0.00000015"),
        output_usd=Decimal("0.0000006"),
        models={},
    )


def test_one_token_costs_what_it_costs_and_not_zero() -> None:
    rates = standard_rates().of("any")
    assert llm_cost(rates, input_tokens=1, cached_tokens=0, output_tokens=0, requests=1) == Decimal(
        "0.00000015"
    )


def test_the_conversation_trace_costs_five_dollars_eighty() -> None:
    rates = standard_rates().of("gpt-4o-mini")
    cost = llm_cost(rates, input_tokens=22_361_870, cached_tokens=0, output_tokens=4_088_665, requests=19_366)
    assert plain(cost) == "5.8074795"


def test_cached_tokens_are_priced_apart_and_only_once() -> None:
    rates = TokenRates.per_million(Decimal(1), Decimal("0.1"), Decimal(2), Decimal(0))
    assert llm_cost(rates, input_tokens=10, cached_tokens=4, output_tokens=5, requests=1) == Decimal(
        "0.0000164"
    )


def test_rows_are_priced_by_the_thousand_without_dividing() -> None:
    assert job_cost(standard_rates(), cpu_ms=0, rows=1) == Decimal("0.0000005")


def test_a_request_price_counts_requests_only() -> None:
    rates = TokenRates(Decimal(0), Decimal(0), Decimal(0), Decimal("0.01"))
    assert llm_cost(rates, input_tokens=99, cached_tokens=0, output_tokens=9, requests=3) == Decimal("0.03")


@given(prices, prices, prices, prices, counts, counts, counts, counts)
def test_no_price_and_no_count_loses_a_digit(
    given_usd: Decimal,
    cached_usd: Decimal,
    made_usd: Decimal,
    request_usd: Decimal,
    fresh: int,
    cached: int,
    made: int,
    requests: int,
) -> None:
    rates = TokenRates.per_million(given_usd, cached_usd, made_usd, request_usd)
    cost = llm_cost(
        rates, input_tokens=fresh + cached, cached_tokens=cached, output_tokens=made, requests=requests
    )
    tokens = fresh * Fraction(given_usd) + cached * Fraction(cached_usd) + made * Fraction(made_usd)
    assert Fraction(cost) == tokens / 10**6 + requests * Fraction(request_usd)


@given(st.dictionaries(st.text(max_size=5), costs, max_size=20))
@example({"a": Decimal("0.0000005"), "b": Decimal("0.0000005")})
@example({"a": Decimal("0.0000005")})
@example({"a": Decimal("0.0000015")})
def test_shares_add_up_to_the_rounded_sum_and_stay_within_a_micro_dollar(exact: dict[str, Decimal]) -> None:
    shares = apportion(exact)
    assert sum(shares.values()) == round_usd(sum(exact.values(), Decimal(0)))
    assert all(abs(shares[key] - exact[key]) < Decimal("0.000001") for key in exact)


def test_the_missing_micro_dollar_goes_to_the_largest_remainder_and_in_a_tie_to_the_first_name() -> None:
    thirds = {"b": Decimal("0.0000004"), "a": Decimal("0.0000004"), "c": Decimal("0.0000002")}
    assert apportion(thirds) == {"a": Decimal("0.000001"), "b": Decimal(0), "c": Decimal(0)}


def test_ties_go_by_bytes_not_by_language() -> None:
    halves = {"é": Decimal("0.0000005"), "z": Decimal("0.0000005")}
    assert apportion(halves)["z"] == Decimal("0.000001")


def test_rounding_is_half_to_even() -> None:
    assert [round_usd(Decimal(text)) for text in ("0.0000005", "0.0000015", "0.0000025")] == [
        Decimal(0),
        Decimal("0.000002"),
        Decimal("0.000002"),
    ]


def test_numbers_are_written_without_exponent_and_trailing_zeros() -> None:
    written = [plain(Decimal(text)) for text in ("1E-9", "5.80747950", "100", "1E+3", "0.000", "0")]
    assert written == ["0.000000001", "5.8074795", "100", "1000", "0", "0"]


def test_places_hold_every_rate() -> None:
    odd = TokenRates.per_million(Decimal("0.000000001"), Decimal(0), Decimal(0), Decimal(0))
    assert standard_rates().places == 8
    assert Rates(Decimal(0), Decimal(0), FREE, {}).places == 6
    assert Rates(Decimal(0), Decimal(0), FREE, {"odd": odd}).places == 15
    assert [decimal_places(Decimal(text)) for text in ("1.50", "1E+2", "0")] == [1, 0, 0]
