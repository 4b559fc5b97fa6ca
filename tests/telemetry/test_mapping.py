"""The language of --map and --set."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from telemetry.expressions import Columns
from telemetry.mapping import LANGUAGE, MappingError, parse_map, parse_set
from telemetry.values import BadValueError, whole

Record = dict[str, object]


def columns(name: str):  # type: ignore[no-untyped-def] # what it returns says it
    return lambda row: row.get(name)


def value_of(expression: str, **row: object) -> object:
    getter: Columns = columns
    return parse_map(f"x={expression}")["x"].compile(getter)(row)


def error_of(text: str) -> str:
    with pytest.raises(MappingError) as caught:
        parse_map(text)
    return str(caught.value)


def test_a_column_is_taken_as_it_stands() -> None:
    assert value_of("ContextTokens", ContextTokens="0374 ") == "0374 "


def test_the_start_of_a_job_is_its_submission_and_its_wait() -> None:
    started_at = value_of("unix(submit_unix+wait_s)", submit_unix="1356996695", wait_s="71")
    assert started_at == datetime(2012, 12, 31, 23, 32, 46, tzinfo=UTC)


def test_cpu_time_is_run_time_by_processors_in_milliseconds() -> None:
    assert value_of("s(run_s*procs)", run_s="56011", procs="64") == 3_584_704_000


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a+b*c", 14),
        ("(a+b)*c", 20),
        ("a-b-c", -5),
        ("-a+b", 1),
        ("--a", 2),
        ("-(a+b)*c", -20),
        ("a − b × c", -10),
        ("0.1+0.2", Decimal("0.3")),
        ("2.5*c", 10),
        ("1e3*a", 2000),
        ("ms(2.5)", 2),
        ("ms(3.5)", 4),
        ("s(0.0015)", 2),
        ("s(a)+ms(b)", 2003),
    ],
)
def test_arithmetic_is_exact_and_binds_as_in_school(expression: str, expected: Decimal) -> None:
    assert value_of(expression, a="2", b="3", c="4") == expected


def test_fractions_of_unix_seconds_are_exact_and_finer_than_a_microsecond_is_cut() -> None:
    moment = value_of("unix(t)", t="1700000000.1234569")
    assert moment == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)


def test_an_empty_column_makes_the_whole_expression_absent() -> None:
    assert value_of("s(run*procs)", run="", procs="4") is None
    assert value_of("unix(a+b)", a="1", b=None) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("1", True),
        ("1.0", True),
        (" 1", True),
        (1, True),
        ("0", False),
        ("", False),
        ("ok", True),
        ("OK", False),
    ],
)
def test_is_compares_numbers_as_numbers_and_texts_as_they_stand(status: object, expected: bool) -> None:
    assert value_of("is(status,1,'ok')", status=status) is expected


def test_is_finds_an_empty_column() -> None:
    assert value_of("is(error,'')", error="") is True
    assert value_of("is(error,'')", error=None) is True
    assert value_of("is(error,'')", error="404") is False


def test_a_text_in_is_may_hold_a_quote_and_a_number_may_be_negative() -> None:
    assert value_of("is(who,'d''Arc')", who="d'Arc") is True
    assert value_of("is(code,-1)", code="-1") is True


def test_columns_with_other_characters_are_quoted() -> None:
    row: Record = {"Context Tokens": "5", 'a"b': "6", "x-y": "7"}
    parsed = parse_map('a="Context Tokens"*2,b="a""b",c="x-y"')
    assert [parsed[name].compile(columns)(row) for name in "abc"] == [10, "6", "7"]


def test_the_canonical_text_does_not_depend_on_spaces_or_signs() -> None:
    first = parse_map(" a = unix( b + c ) , d=x×2")
    second = parse_map('a=unix("b"+c),d=(x*2)')
    assert {name: parsed.source for name, parsed in first.items()} == {
        name: parsed.source for name, parsed in second.items()
    }
    assert first["a"].source == "unix(b+c)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=b/c", "position 4: there is no division"),
        ("a=(b", "position 5: expected ')', found the end"),
        ('a=b,c="d', 'position 7: the quote " is never closed'),
        ("a=b,a=c", "position 5: a is given twice"),
        ("a=sum(b)", "position 3: there is no sum(), only unix(x), s(x), ms(x) and is(column,value)"),
        ("a=unix(unix(b))", "unix(b) gives a time, which 'unix' cannot work with"),
        ("a=is(b,1)+1", "gives true or false, which '+' cannot work with"),
        ("a='pro'", "a value for every row goes into --set"),
        ("a=is(1,1)", "is() begins with a column"),
        ("a=is(b,c)", "expected a number or a text in single quotes"),
        ("a", "position 2: expected '=', found the end"),
        ("=b", "position 1: expected the target column's name"),
        ("a=b c", "position 5: expected ',', found c"),
        ("a=1e999999999", "position 3: '1e999999999' is too long or too large a number"),
        ("a=" + "9" * 100, "too long or too large a number"),
        ("a=" + "(" * 51 + "b" + ")" * 51, "nested deeper than 50"),
        ("a=" + "-" * 51 + "b", "nested deeper than 50"),
        ("a=" + "+".join(["b"] * 200), "more than 100 operations"),
        ("a=" + "b" * 10_000, "10,002 characters long"),
        ("a=b;c=d", "position 4: ';' is not understood here"),
    ],
)
def test_a_mapping_that_cannot_be_understood_says_where_and_why(text: str, said: str) -> None:
    assert said in error_of(text)


@pytest.mark.parametrize(
    "number", ["1e999999999", "٣", "NaN", "Infinity", "1_000", "0x10", "1,5", "--1", "1e", "9" * 61]
)
def test_a_column_that_is_no_plain_number_is_refused_in_arithmetic(number: str) -> None:
    with pytest.raises(BadValueError, match=r"is made of a, which is .*, not a number"):
        value_of("a+1", a=number)


def test_a_sum_that_would_need_too_many_digits_is_refused_rather_than_rounded() -> None:
    with pytest.raises(BadValueError, match="too many digits to be exact"):
        value_of("a+b", a="1e300", b="1e-300")


def test_a_product_of_the_largest_numbers_ends_at_once_and_fits_nowhere() -> None:
    product = "*".join(["a"] * 60)
    with pytest.raises(BadValueError, match="too large"):
        whole(value_of(product, a="9e999"))
    with pytest.raises(BadValueError, match="beyond the calendar"):
        value_of(f"unix({product})", a="9e999")


def test_unix_seconds_beyond_the_calendar_are_refused() -> None:
    for seconds in ("1e15", "-1e15", "9e999"):
        with pytest.raises(BadValueError, match="beyond the calendar"):
            value_of("unix(a)", a=seconds)


@given(st.text(max_size=60) | st.text("ab=,()+-*×.0123456789eE\"' is(unix", max_size=60))
@example("a=is(a,")
@example("a=unix(")
@example('a="\x00"')
def test_any_text_is_a_mapping_or_a_mapping_error(text: str) -> None:
    try:
        parsed = parse_map(text)
    except MappingError:
        return
    for name, expression in parsed.items():
        again = parse_map(f"{name}={expression.source}")[name]
        assert again.source == expression.source


numerals = st.decimals(min_value=-(10**9), max_value=10**9, places=3, allow_nan=False)


@given(numerals, numerals, numerals)
def test_arithmetic_agrees_with_fractions(a: Decimal, b: Decimal, c: Decimal) -> None:
    found = value_of("(a-b)*c+2.5*a", a=f"{a:f}", b=f"{b:f}", c=f"{c:f}")
    assert isinstance(found, Decimal)
    exact = (Fraction(a) - Fraction(b)) * Fraction(c) + Fraction(5, 2) * Fraction(a)
    assert Fraction(found) == exact


def test_fixed_values_are_literal() -> None:
    assert parse_set('user_id=a=b+c, tier = pro ,domain="x,""y""",provider=') == {
        "user_id": "a=b+c",
        "tier": "pro",
        "domain": 'x,"y"',
        "provider": "",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tier", "position 1: write target=value"),
        ("tier=pro,tier=free", "position 10: tier is given twice"),
        ('tier="pro', "position 1: write target=value"),
        ("a=b,=c", "position 5"),
    ],
)
def test_a_set_that_cannot_be_understood_says_where(text: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        parse_set(text)


@given(st.text(max_size=60) | st.text("ab=,\"' ", max_size=60))
def test_any_text_is_a_set_or_a_mapping_error(text: str) -> None:
    try:
        fixed = parse_set(text)
    except MappingError:
        return
    assert all(name.isidentifier() or name.replace("_", "a").isalnum() for name in fixed)


def test_everything_the_language_has_is_in_the_help() -> None:
    for word in ("unix(x)", "s(x)", "ms(x)", "is(column", "×", "--timezone", '"a,b"'):
        assert word in LANGUAGE
