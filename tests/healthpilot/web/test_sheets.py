"""CSV that opens safely in a spreadsheet and loses nothing."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthpilot.web.sheets import Sheet, answer, harmless, lines, written


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "\n1", "＝1", "  =cmd|'/C calc'!A0"]
)
def test_text_that_a_spreadsheet_would_calculate_is_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("\t=1", "'\t'=1"),
        ("a\r\nb", "a\r\nb"),
        ("x; @SUM(A1)", "x;' @SUM(A1)"),
        ("x\n-1", "x\n'-1"),
        ("x\t＝1", "x\t'＝1"),
    ],
)
def test_nor_what_follows_a_separator_of_another_country(text: str, written: str) -> None:
    assert harmless(text) == written


@pytest.mark.parametrize("text", ["", "usr_1", "a=b", "a;b", "a; b", "1-2", "🦄", "مرحبا"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_figures_of_our_own_keep_their_sign_and_every_digit() -> None:
    assert written(Decimal("-0.0000000001")) == "-0.0000000001"
    assert written(-3) == "-3"
    assert written(None) == ""
    assert written(True) == "yes"
    assert written(date(2026, 11, 25)) == "2026-11-25"
    assert written(datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC)) == "2026-11-25T01:02:03Z"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1, max_size=4))
def test_every_text_comes_back_whole_and_none_begins_a_formula(cells: list[str]) -> None:
    text = "".join(lines(Sheet("x", [f"h{index}" for index in range(len(cells))], [cells])))
    _, back = list(csv.reader(io.StringIO(text, newline="")))
    assert [cell.replace("'", "") for cell in back] == [cell.replace("'", "") for cell in cells]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in back)


def test_heads_are_made_harmless_too_and_the_file_is_utf8_with_a_name() -> None:
    response = answer(Sheet("top-users", ["=tier (USD)"], [["é"]]))
    assert response.content.decode("utf-8-sig") == "'=tier (USD)\r\né\r\n"
    assert response["Content-Disposition"] == 'attachment; filename="top-users.csv"'
