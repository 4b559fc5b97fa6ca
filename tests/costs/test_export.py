"""The CSV file of all users' days: every row, streamed, harmless in a spreadsheet."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from costs import export
from healthpilot.web import sheets
from tests.costs.factories import days_ago, make_month, make_staff, make_user_day, make_visitor

pytestmark = pytest.mark.django_db

PATH = "/admin/cost/export.csv"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def table(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_users_day_is_a_row_with_every_digit(staff: Client) -> None:
    make_user_day(days_ago(1), "b", "0.000000000001", jobs=2)
    make_user_day(days_ago(2), "a", "3.5", tier="free")
    make_user_day(days_ago(40), "old", "9")
    answer = staff.get(f"{PATH}?days=7")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="user-days-{days_ago(6)}-{days_ago(0)}.csv"' in answer["Content-Disposition"]
    rows = table(answer)
    assert [(row["date"], row["user_id"], row["cost_usd"]) for row in rows] == [
        (str(days_ago(2)), "a", "3.5"),
        (str(days_ago(1)), "b", "0.000000000001"),
    ]


@pytest.mark.parametrize("hostile", ["=1+1", "+1", "-1", "@x", "＝1", "=cmd|'/c calc'!A1"])
def test_a_spreadsheet_calculates_nothing(staff: Client, hostile: str) -> None:
    make_user_day(days_ago(1), hostile)
    assert table(staff.get(f"{PATH}?days=7"))[0]["user_id"] == f"'{hostile}"


def test_rows_come_through_a_cursor_on_the_server_and_in_pieces(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK_ROWS", 10)
    monkeypatch.setattr(sheets, "CHUNK_ROWS", 10)
    for number in range(25):
        make_user_day(days_ago(1), f"u{number:02}")
    with CaptureQueriesContext(connection):
        pieces = list(staff.get(f"{PATH}?days=2").streaming_content)  # type: ignore[attr-defined] # it is a stream
    assert [piece.count(b"\n") for piece in pieces] == [0, 10, 10, 6]


def test_an_empty_range_is_a_head_without_rows(staff: Client) -> None:
    assert table(staff.get(f"{PATH}?days=7")) == []


@pytest.mark.parametrize("query", ["days=x", "from=2026-01-01", "from=2026-02-30&to=2026-03-01"])
def test_a_range_of_no_sense_is_refused_not_guessed(staff: Client, query: str) -> None:
    answer = staff.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert "Give days=7" in answer.content.decode()


def test_it_is_for_viewers(client: Client) -> None:
    assert client.get(PATH).status_code == 302
    client.force_login(make_visitor())
    assert client.get(PATH).status_code == 403


def test_the_page_links_to_the_file_of_the_days_it_shows(staff: Client) -> None:
    make_month(days=10, users=3)
    page = staff.get("/admin/cost?days=7").content.decode()
    link = page.split(f'href="{PATH}?')[1].split('"')[0].replace("&amp;", "&")
    assert len(table(staff.get(f"{PATH}?{link}"))) == 7 * 3
