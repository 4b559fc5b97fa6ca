"""The tab API: routes with their figures, answers by class, groups of exceptions and what is done of them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from systemstatus.models import AuditEntry, ErrorGroup
from tests.costs.factories import make_staff
from tests.systemstatus import scenes
from tests.systemstatus.factories import make_day, this_minute
from tests.systemstatus.tabs.opened import opened

pytestmark = pytest.mark.django_db

TAB = "/admin/status/api"


def shown(client: Client, query: str = "") -> str:
    return opened(client, "api", query)


def names(html: str) -> list[str]:
    """Return the routes of the table in their order."""
    routes = html[html.index('id="routes"') :]
    return re.findall(r'class="is-name"><bdi class="plain">(.*?)</bdi>', routes)


@pytest.mark.parametrize("query", ["", "?view=errors", "?group={}"])
def test_every_view_reads_in_four_queries_and_shows_odd_texts_as_text(query: str, operator: Client) -> None:
    scenes.make_requests()
    odd = ErrorGroup.objects.get(type=scenes.ODD[0])
    operator.get(TAB)
    with CaptureQueriesContext(connection) as asked:
        html = shown(operator, query.format(odd.pk))
    own = [one["sql"] for one in asked if not re.search(r"auth_user|auth_group|django_session", one["sql"])]
    assert len(own) <= 4, "\n".join(own)
    assert "<script>alert" not in html


def test_routes_are_sorted_by_any_figure_and_say_by_which(operator: Client) -> None:
    scenes.make_requests()
    assert names(shown(operator))[:2] == ["GET /admin/cost", "GET /admin/status/&lt;slug:slug&gt;"]
    slowest = shown(operator, "?sort=-p95")
    assert names(slowest)[0] == f"GET /{scenes.ODD[0]}".replace("<", "&lt;").replace(">", "&gt;")
    assert slowest.count('aria-sort="descending"') == 1
    assert names(shown(operator, "?sort=p50"))[0] == f"GET {scenes.ODD[2]}"
    assert names(shown(operator, "?sort=nonsense"))[0] == "GET /admin/cost"


def test_a_route_is_marked_only_from_enough_calls(operator: Client) -> None:
    scenes.make_requests()
    html = shown(operator)
    row = html[html.index("slug:slug&gt;</bdi>") :]
    row = row[: row.index("</tr>")]
    assert row.count('aria-label="Error"') == 2  # the share of errors, p95 of 1,240 ms
    few = html[html.index("/&lt;script") :]
    assert 'aria-label="Error"' not in few[: few.index("</tr>")]


def test_routes_can_be_looked_for(operator: Client) -> None:
    scenes.make_requests()
    assert names(shown(operator, "?q=COST")) == ["GET /admin/cost"]
    assert "Nothing fits these filters" in shown(operator, "?q=nowhere")


def test_answers_stand_by_class_over_the_last_minutes(operator: Client) -> None:
    scenes.make_requests()
    html = shown(operator)
    classes = dict(re.findall(r'id="class-(\dxx)".*?kpi-value">([\d,]+)<', html, re.DOTALL))
    assert classes == {"2xx": "540", "3xx": "12", "4xx": "0", "5xx": "10"}


def test_what_was_not_counted_is_unknown_and_not_well(operator: Client) -> None:
    make_day(hours=1)
    html = shown(operator)
    assert "Requests were not counted by then." in html
    assert "The check ‘requests’ fills it" in html


def test_no_open_group_is_good_news_only_while_snapshots_come(operator: Client) -> None:
    make_day(hours=1, until=this_minute() - timedelta(minutes=9))
    assert "nothing was collected of late" in shown(operator, "?view=errors")
    make_day(hours=0)
    assert "No open group" in shown(operator, "?view=errors")


def test_a_group_shows_its_sample_and_what_was_changed_before_it(operator: Client) -> None:
    scenes.make_requests()
    group = ErrorGroup.objects.get(type="IntegrityError")
    html = shown(operator, f"?group={group.pk}")
    assert "costs/queries.py:88 IntegrityError" in html
    assert "0.1.0+bbb" in html
    assert "before it came back" in html
    assert re.findall(r'entry=\d+">([^<]+)</a>', html) == [
        "Price set",
        "Budget saved",
        "Migrations",
        "Another release",
    ]
    assert "There is no such group" in shown(operator, "?group=nothing")


def test_a_group_is_resolved_once_however_often_it_is_clicked(operator: Client) -> None:
    group = scenes.make_error("ValueError", timezone.now())
    for _ in range(2):
        told = operator.post(f"{TAB}/errors/{group.pk}/resolve", follow=True).content.decode()
        assert "it opens itself when it occurs again" in told
    group.refresh_from_db()
    assert (group.state, group.resolved_by) == ("resolved", "operator")
    assert AuditEntry.objects.count() == 1
    assert "ValueError" not in shown(operator, "?view=errors")
    assert "ValueError" in shown(operator, "?view=errors&state=resolved")
    operator.post(f"{TAB}/errors/{group.pk}/reopen")
    assert "ValueError" in shown(operator, "?view=errors")


def test_a_group_is_muted_with_an_end_and_a_reason(operator: Client) -> None:
    group = scenes.make_error("ValueError", timezone.now())
    path = f"{TAB}/errors/{group.pk}/mute"
    for given, why in (
        ({"days": "", "reason": "known"}, "Choose for how long"),
        ({"days": "7", "reason": " "}, "Write why nobody"),
        ({"days": "9", "reason": "known"}, "Select a valid choice"),
    ):
        answer = operator.post(path, given)
        assert answer.status_code == 422
        assert why in answer.content.decode()
    for _ in range(2):
        html = operator.post(path, {"days": "7", "reason": "known"}, follow=True).content.decode()
    assert "No alert until" in html
    assert "Muted" in html
    assert AuditEntry.objects.count() == 1
    operator.post(f"{TAB}/errors/{group.pk}/unmute")
    group.refresh_from_db()
    assert group.muted_until is None


def test_only_operators_act_and_what_is_not_there_is_not_found(operator: Client) -> None:
    group = scenes.make_error("ValueError", timezone.now())
    assert operator.post(f"{TAB}/errors/{group.pk}/explode").status_code == 404
    assert operator.post(f"{TAB}/errors/nothing/resolve").status_code == 404
    assert operator.get(f"{TAB}/errors/nothing/mute").status_code == 404
    viewer = Client()
    viewer.force_login(make_staff())
    for action in ("resolve", "mute"):
        assert viewer.post(f"{TAB}/errors/{group.pk}/{action}").status_code == 403
    assert "Resolve<" not in shown(viewer, "?view=errors")
    assert not AuditEntry.objects.exists()
