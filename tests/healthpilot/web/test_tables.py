"""Tables: heads that say how they are sorted, hostile text as text, neighbouring pages."""

import pytest
from django.template.loader import render_to_string

from healthpilot.web.tables import DESCENDING, LESSER, MAIN, NAME, Column, Row, Table

COLUMNS = [
    Column("User", NAME, sort_url="?sort=user"),
    Column("Jobs", LESSER, numeric=True),
    Column("Cost", MAIN, numeric=True, sort_url="?sort=cost", direction=DESCENDING),
]


def shown(table: Table, **context: object) -> str:
    return render_to_string("components/_table.html", {"table": table, **context})


def pager(table: Table) -> str:
    return render_to_string("components/_pager.html", {"table": table})


def test_a_head_says_how_the_table_is_sorted_and_leads_to_another_order() -> None:
    page = shown(Table("users", "Users by cost", COLUMNS))
    assert page.count("aria-sort=") == 1
    assert 'aria-sort="descending"><a class="sort" href="?sort=cost"' in page
    assert 'href="?sort=user"' in page


def test_cells_of_lesser_columns_come_again_in_the_rows_details() -> None:
    page = shown(Table("users", "Users", COLUMNS, [Row(("usr_1", "8,412", "$5"), key="usr_1")]))
    assert "<dt>Jobs</dt><dd>8,412</dd>" in page
    assert 'More<span class="vh"> about usr_1</span>' in page
    assert "<dt>Cost</dt>" not in page


def test_a_table_without_lesser_columns_has_no_details() -> None:
    assert "<details" not in shown(Table("users", "Users", COLUMNS[:1], [Row(("usr_1",))]))


def test_text_from_outside_is_escaped_in_cells_and_details() -> None:
    hostile = "<script>alert(1)</script>"
    page = shown(Table("users", "Users", COLUMNS, [Row((hostile, hostile, hostile), key=hostile)]))
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 5


def test_a_row_with_too_few_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        shown(Table("users", "Users", COLUMNS, [Row(("usr_1",))]))


def test_pages_lead_both_ways_and_an_end_is_no_link() -> None:
    first = pager(Table("users", "Users", COLUMNS, next_url="?cursor=b", range_text="1–50 of 312"))
    assert 'id="users-next" href="?cursor=b"' in first
    assert '<span class="btn" aria-disabled="true">Previous</span>' in first
    assert "1–50 of 312" in first
    assert "<nav" not in pager(Table("users", "Users", COLUMNS, range_text="3 users"))
    assert not pager(Table("users", "Users", COLUMNS)).strip()
