"""The cost page over HTTP: its states, its fragments, its headers, its economy."""

import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from costs import queries
from tests.costs.factories import (
    days_ago,
    make_global_day,
    make_month,
    make_staff,
    make_user_day,
    make_windows,
    today,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "cost"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def page(client: Client, query: str = "", **headers: str) -> str:
    answer = client.get(f"/admin/cost{query}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_first_visit_shows_what_to_do_with_commands_to_copy(staff: Client) -> None:
    shown = page(staff)
    assert "Nothing has been recorded yet" in shown
    assert "./run manage seed_telemetry --days 60 --users 300 --seed 1" in shown
    assert "./run manage import_events" in shown
    assert shown.count("data-copy=") == 3
    assert 'href="/admin/import">Import in the browser' in shown
    assert 'href="/admin/instrument">Celery' in shown


def test_the_estimate_of_the_month_names_its_band_which_lies_not_evenly_around_it(staff: Client) -> None:
    make_month(days=35, users=3)
    card = re.sub("<[^>]+>", "", page(staff).split('id="kpi-month"')[1].split("</article>")[0])
    assert re.search(r"80 % band \$[\d,.]+ to \$[\d,.]+, \d+ days? to go", card)
    assert "±" not in card


def test_the_page_shows_figures_tables_and_users(staff: Client) -> None:
    make_month(days=35, users=12)
    shown = page(staff)
    for text in (
        "Spend",
        "Jobs",
        "AI calls",
        "Cache hit-rate",
        "Active users",
        "Unpriced calls",
        "Top users",
    ):
        assert text in shown
    assert shown.count('type="application/json"') == 4
    assert "12 users, by cost" in shown


def test_data_of_other_days_is_pointed_at(staff: Client) -> None:
    from datetime import date

    make_global_day(date(2023, 11, 16), "5.8074795", ai_calls=19_366)
    shown = page(staff)
    assert "Your newest data is of" in shown
    assert "?from=2023-11-10&amp;to=2023-11-16" in shown
    assert "$5.81" in page(staff, "?from=2023-11-10&to=2023-11-16")


def test_a_cost_below_a_cent_never_reads_as_nothing(staff: Client) -> None:
    make_global_day(days_ago(1), "0.000042")
    make_user_day(days_ago(1), "frugal", "0.000042")
    assert "$0.000042" in page(staff, "?days=7")


def test_a_bad_query_string_is_explained_and_the_usual_range_shown(staff: Client) -> None:
    make_global_day(days_ago(1))
    shown = page(staff, "?days=abc")
    assert "Days must be a whole number" in shown
    assert 'id="range-30" href="?days=30" hx-get="?days=30" data-prefetch aria-current="true"' in shown


def test_htmx_gets_the_fragment_and_a_restored_history_entry_the_page(staff: Client) -> None:
    make_global_day(today())
    assert "<html" not in page(staff, "", **HTMX)
    assert "<html" in page(staff, "", **HTMX, **{"HX-History-Restore-Request": "true"})


def test_paging_users_swaps_only_their_list(staff: Client) -> None:
    make_month(days=3, users=25)
    shown = page(staff, "?days=7", **{"HX-Request": "true", "HX-Target": "users"})
    assert "Top users" in shown
    assert "Cost per day" not in shown
    assert shown.count('<tr role="row">') == 11


def test_the_next_page_continues_and_keeps_the_range(staff: Client) -> None:
    make_month(days=3, users=25)
    first = page(staff, "?days=7&view=table")
    following = re.search(r'id="users-next" href="(\?[^"]+)"', first)
    assert following
    address = following[1].replace("&amp;", "&")
    assert "days=7" in address
    assert "view=table" in address
    second = page(staff, address)
    ids = [set(re.findall(r'<bdi class="uid plain">([^<]+)', shown)) for shown in (first, second)]
    assert len(ids[0]) == len(ids[1]) == 10
    assert not ids[0] & ids[1]


def test_a_filter_without_a_match_offers_to_clear_it(staff: Client) -> None:
    make_month(days=2, users=3)
    shown = page(staff, "?days=7&q=%3Cscript%3E")
    assert "No user starts with" in shown
    assert "&lt;script&gt;" in shown
    assert "Clear the filter" in shown


@pytest.mark.parametrize(
    ("view", "figure", "scroll"), [("chart", True, False), ("table", False, True), ("both", True, True)]
)
def test_the_address_chooses_chart_or_table_without_a_script(
    staff: Client, view: str, figure: bool, scroll: bool
) -> None:
    make_month(days=3, users=3)
    shown = page(staff, f"?view={view}")
    assert ('data-figure="tiers-figure"' in shown) is figure
    assert ('aria-label="Cost per day by tier, table"' in shown) is scroll
    assert "Cost per day by tier in US dollars" in shown


def test_today_is_marked_as_not_complete(staff: Client) -> None:
    make_month(days=3, users=3)
    assert "not complete and so not compared" in page(staff, "?days=7")


HOSTILE = [
    "<script>alert(1)</script>",
    "\u202eevil",
    "=cmd()|'/C calc'!A0",
    "🦄" * 20,
    "W" * 40,
    "<b>&amp;</b>",
    '"><img src=x>',
]


def test_hostile_ids_are_plain_text(staff: Client) -> None:
    make_global_day(today(), jobs=7, ai_calls=7)
    for user_id in HOSTILE:
        make_user_day(today(), user_id, tier=user_id[:16])
    make_windows()
    shown = page(staff, "?days=7")
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in shown
    assert shown.count('<bdi class="uid plain">') == len(HOSTILE)


def test_no_inline_style_script_or_handler_is_sent(staff: Client) -> None:
    make_month(days=35, users=12)
    shown = page(staff)
    assert " style=" not in shown
    assert "<style" not in shown
    assert not re.search(r"\son\w+=", shown)
    assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", shown))


def test_the_policy_allows_nothing_inline(staff: Client) -> None:
    policy = staff.get("/admin/cost")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_is_kept_privately_for_thirty_seconds(staff: Client) -> None:
    answer = staff.get("/admin/cost")
    assert {"private", "max-age=30"} <= set(answer["Cache-Control"].split(", "))
    assert {"HX-Request", "HX-Target", "Cookie"} <= set(answer["Vary"].split(", "))


@pytest.mark.parametrize("query", ["", "?days=7", "?days=8", "?view=table"])
def test_the_page_asks_the_database_at_most_sixteen_times(
    staff: Client, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_month(days=35, users=30)
    with django_assert_max_num_queries(16):
        page(staff, query)


@pytest.fixture
def failing_database() -> Iterator[None]:
    """Fail the page's first read as a statement out of time does; a real one cannot be had on demand."""
    with mock.patch.object(queries, "extent", side_effect=OperationalError("canceling statement")):
        yield


@pytest.mark.usefixtures("failing_database")
def test_a_failing_database_is_a_clear_page_with_retry(staff: Client) -> None:
    answer = staff.get("/admin/cost?days=7")
    shown = answer.content.decode()
    assert answer.status_code == 503
    assert "The figures could not be read" in shown
    assert 'href="/admin/cost?days=7"' in shown
    assert re.search(r"Reference <code>HP-[0-9A-F]{8}</code>", shown)


@pytest.mark.usefixtures("failing_database")
def test_a_failing_database_leaves_the_old_figures_under_htmx(staff: Client) -> None:
    answer: Any = staff.get("/admin/cost?days=7", headers=HTMX)
    assert answer.status_code == 503
    assert answer["HX-Retarget"] == "#notice"
    assert "max-age" not in answer.get("Cache-Control", "")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_page_is_only_read(staff: Client, method: str) -> None:
    assert getattr(staff, method)("/admin/cost").status_code == 405
