"""The tab Health: every check, its last runs, and the parent that explains a failure."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from systemstatus.registry import Layer
from tests.costs.factories import make_staff
from tests.systemstatus.factories import check, make_bad_night, make_day, make_snapshot, this_minute
from tests.systemstatus.watched import module, only

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in(client: Client) -> None:
    client.force_login(make_staff())


def shown(client: Client, query: str = "") -> str:
    return client.get(f"/admin/status/health{query}").content.decode()


def test_a_failed_check_comes_first_with_what_it_said_and_when_it_was_well(client: Client) -> None:
    make_bad_night()
    html = shown(client)
    first = html.split('<tr role="row"')[2]
    assert "Failed" in first
    assert "no answer within 1 s" in first
    assert re.search("(9|10) min ago", first)  # the minute may turn meanwhile
    assert "caused by PostgreSQL" in first


def test_the_strip_tells_the_last_ninety_snapshots(client: Client) -> None:
    now = this_minute()
    with only(module("one")):
        for minute in range(10):
            state = "crashed" if minute < 3 else "ok"
            at = now - timedelta(minutes=minute)
            make_snapshot("one", at, checks=[check("look", state, at=at)])
        html = shown(client)
    label = re.search(r'class="hb" role="img" aria-label="([^"]+)"', html)
    assert label
    assert label[1] == "error 3 min, OK 7 min, no data 1 h 20 min"


def test_a_parent_that_is_well_explains_nothing(client: Client) -> None:
    child = module("child", title="Child", layer=Layer.QUEUE, depends_on=("parent",))
    with only(child, module("parent", title="Parent")):
        make_snapshot("child", state="critical", checks=[check("look", "failed")])
        make_snapshot("parent", checks=[check("look")])
        assert "caused by" not in shown(client)


def test_what_is_not_well_can_be_shown_alone(client: Client) -> None:
    make_bad_night()
    assert shown(client, "?show=bad").count('scope="row"') == 1
    make_day(hours=1)


def test_all_well_is_said_where_only_the_unwell_were_asked_for(client: Client) -> None:
    make_day(hours=1)
    assert "Every check is well" in shown(client, "?show=bad")


@pytest.mark.parametrize(
    ("state", "word"),
    [("ok", "OK"), ("warning", "Warning"), ("failed", "Failed"), ("crashed", "Crashed"),
     ("skipped", "Skipped"), ("unknown", "Unknown"), ("disabled", "Not configured")],
)  # fmt: skip
def test_each_end_of_a_check_has_its_word(state: str, word: str, client: Client) -> None:
    with only(module("one")):
        make_snapshot("one", checks=[check("look", state)])
        assert f"</svg>{word}</span>" in shown(client)
