"""The tab Budgets: every row of the table, the breached first, with how it did."""

import re

import pytest
from django.test import Client

from systemstatus import registry
from systemstatus.thresholds import THRESHOLDS
from tests.costs.factories import make_staff
from tests.systemstatus.factories import make_bad_night, make_day
from tests.systemstatus.watched import only

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in(client: Client) -> None:
    client.force_login(make_staff())


def shown(client: Client, query: str = "", status: int = 200) -> str:
    answer = client.get(f"/admin/status/budgets{query}")
    assert answer.status_code == status
    return answer.content.decode()


def test_every_budget_has_its_row(client: Client) -> None:
    make_day(hours=1)
    html = shown(client)
    for row in THRESHOLDS:
        assert html.count(f'id="budget-{row.id.replace(".", "")}"') == 1


def test_the_breached_come_first_with_how_often_they_were(client: Client) -> None:
    make_bad_night()
    html = shown(client)
    rows = re.findall(r'<tr role="row" id="budget-(\w+)">(.*?)</tr>', html, re.DOTALL)
    names = [name for name, _ in rows]
    assert set(names[:5]) == {
        "dbidle_in_tx", "dblock_wait", "dblongest_query", "queueoldest", "cachertt",
    }  # fmt: skip
    told = dict(rows)
    assert "34\u202fmin" in told["dblock_wait"]
    assert "1 ×, 34\u202fmin" in told["dblock_wait"]
    assert "none" in told["hostdisk"]


def test_what_nothing_measures_is_neither_green_nor_hidden(client: Client) -> None:
    with only(*(one for one in registry.modules() if one.name != "r2")):
        make_day(hours=1)
        html = shown(client)
    assert "Not measured yet" in html
    assert "storage.probe" in html.split("Not measured yet")[1]


@pytest.mark.parametrize(("show", "there"), [("over", False), ("within", True), ("nonsense", True)])
def test_a_group_can_be_shown_alone(show: str, *, there: bool, client: Client) -> None:
    make_bad_night()
    assert ('id="budget-hostdisk"' in shown(client, f"?show={show}")) is there


def test_an_empty_group_says_so_and_leads_back(client: Client) -> None:
    make_day(hours=1)
    html = shown(client, "?show=over")
    assert "No budget is in this group" in html
    assert "Show all" in html


def test_a_rehearsal_says_what_would_have_come_of_it_and_how_to_propose_it(client: Client) -> None:
    make_bad_night()
    html = shown(client, "?rehearse=db.connections&warning=70&critical=95")
    assert "It would have fired once" in html
    assert "./run manage governance decide --kind budget" in html
    assert 'value="70"' in html


def test_a_rehearsal_of_nonsense_says_what_is_wrong(client: Client) -> None:
    make_day(hours=1)
    assert "is no number" in shown(client, "?rehearse=db.connections&warning=lots")
    assert "Rehearse db" not in shown(client, "?rehearse=no.such.budget")
