"""The widget on every admin page: true, cheap, and never greener than what is known."""

from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from systemstatus import queries
from tests.costs.factories import make_month, make_staff, make_visitor
from tests.systemstatus.factories import make_alert, make_day, this_minute

pytestmark = pytest.mark.django_db

WIDGET = "/admin/status/widget"


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def shown(client: Client, path: str = WIDGET) -> str:
    return client.get(path).content.decode()


def test_it_says_how_everything_stands_by_shape_and_word_and_how_much_is_open(staff: Client) -> None:
    make_day(hours=1)
    make_alert("cache.rtt", "redis", value=80, unit="ms")
    html = shown(staff)
    assert "#s-error" in html
    assert "<strong>Error</strong>" in html
    assert "open alert<" in html


def test_without_data_and_with_late_data_it_is_not_green(staff: Client) -> None:
    assert "<strong>Unknown</strong>" in shown(staff)
    cache.clear()
    make_day(hours=1, until=this_minute() - timedelta(minutes=7))
    assert "<strong>Error</strong>" in shown(staff)


def test_pages_show_what_is_kept_without_a_query_of_its_own(staff: Client) -> None:
    make_day(hours=1)
    page = shown(staff, "/admin/jobs")
    assert "Not known yet" in page
    assert 'hx-trigger="load, poll"' in page
    shown(staff)
    with CaptureQueriesContext(connection) as asked:
        page = shown(staff, "/admin/jobs")
    assert "<strong>OK</strong>" in page
    assert not [one for one in asked if "status_snapshots" in one["sql"] or '"alerts"' in one["sql"]]


def test_asked_by_many_it_is_read_once_in_two_queries(staff: Client) -> None:
    make_day(hours=1)
    with CaptureQueriesContext(connection) as asked:
        for _ in range(5):
            shown(staff)
    # One that tells whether anything is new, with the alerts; one that reads the snapshots.
    assert sum("status_snapshots" in one["sql"] for one in asked) == 2
    assert sum('FROM "alerts"' in one["sql"] for one in asked) == 1


def test_a_page_that_is_kept_does_not_keep_an_old_status(staff: Client) -> None:
    make_month(days=3)
    make_day(hours=1)
    shown(staff)
    assert "<strong>OK</strong>" in shown(staff, "/admin/cost")
    make_alert("db.lock_wait", "postgres", value=90, unit="s")
    shown(staff, "/admin/status")
    assert "<strong>Error</strong>" in shown(staff, "/admin/cost")


def test_a_past_minute_is_not_kept_for_other_pages(staff: Client) -> None:
    make_day(hours=1)
    shown(staff, f"/admin/status?at={this_minute() - timedelta(hours=3):%Y-%m-%dT%H:%M}")
    assert "Not known yet" in shown(staff, "/admin/jobs")


def test_a_database_that_fails_is_unknown(staff: Client) -> None:
    with mock.patch.object(queries, "rows_at", side_effect=OperationalError("gone")):
        assert "<strong>Unknown</strong>" in shown(staff)


def test_who_is_not_staff_sees_none(client: Client) -> None:
    client.force_login(make_visitor())
    assert "status-widget" not in shown(client, "/accounts/password/")
