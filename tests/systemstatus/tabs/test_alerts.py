"""The tab Alerts: every view in few queries, what it shows in each state, filters, pages, the past."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from systemstatus.models import Alert, AlertState
from tests.costs.factories import make_staff
from tests.systemstatus import scenes
from tests.systemstatus.factories import make_alert, make_day, this_minute
from tests.systemstatus.tabs.opened import opened

pytestmark = pytest.mark.django_db

TAB = "/admin/status/alerts"
VIEWS = ("open", "pending", "timeline", "ended", "messages")


def shown(client: Client, query: str = "") -> str:
    return opened(client, "alerts", query)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_reads_in_four_queries_and_shows_odd_texts_as_text(view: str, operator: Client) -> None:
    scenes.make_night()
    operator.get(TAB)
    with CaptureQueriesContext(connection) as asked:
        html = shown(operator, f"?view={view}")
    own = [one["sql"] for one in asked if not re.search(r"auth_user|auth_group|django_session", one["sql"])]
    assert len(own) <= 4, "\n".join(own)
    assert "<script>alert" not in html


def test_open_alerts_stand_by_severity_with_what_explains_them_and_what_changed_before(
    operator: Client,
) -> None:
    scenes.make_night()
    html = shown(operator)
    assert (
        html.index("Critical <span") < html.index("Connections used is 94 %.") < html.index("Warning <span")
    )
    assert html.index("Explains 1 more") < html.index("Oldest waiting job of free is 412 s.")
    assert 'Notices are kept back</b>, <bdi class="plain">caused by PostgreSQL' in html
    before = html[html.index("Connections used is 94 %.") : html.index("Explains 1 more")]
    told = re.findall(r'entry=\d+">([^<]+)</a>', before)
    assert told == ["Price set", "Budget saved", "Migrations", "Another release"]
    assert "Raising the pool." in before


def test_what_is_kept_quiet_is_listed_with_its_end_and_a_way_to_end_it(operator: Client) -> None:
    scenes.make_night()
    html = shown(operator)
    quiet = html[html.index('id="quiet"') :]
    assert quiet.count(">End now") == 2
    assert "in 3 h 59 min" in quiet.replace("\u202f", " ")
    assert "Upgrade to 18.7" in quiet


def test_who_may_not_act_gets_no_buttons(client: Client) -> None:
    scenes.make_night()
    client.force_login(make_staff())
    html = shown(client)
    assert "Connections used is 94 %." in html
    assert "Acknowledge<" not in html
    assert "End now" not in html
    assert "Add a silence" not in html


def test_without_alerts_it_is_well_only_while_snapshots_come(operator: Client) -> None:
    make_day(hours=1)
    assert "No alert is open" in shown(operator)


def test_without_snapshots_no_alert_is_not_good_news(operator: Client) -> None:
    make_day(hours=1, until=this_minute() - timedelta(minutes=9))
    html = shown(operator)
    assert "Unknown: nothing was collected" in html
    assert "No alert is open<" not in html


def test_filters_are_kept_in_the_address_and_what_cannot_be_one_is_named(operator: Client) -> None:
    scenes.make_night()
    only = shown(operator, "?severity=warning&module=host")
    assert "Connections used is 94 %." not in only
    assert only.count('class="alert is-warn"') == 4
    assert "No open alert fits these filters" in shown(operator, "?module=spool")
    assert "Severity is not one of those in the list" in shown(operator, "?severity=odd")
    assert "does not belong to this list" in shown(operator, "?view=timeline&cursor=forged")
    assert "View is not one of those in the list" in shown(operator, "?view=nowhere")


def test_what_is_about_to_fire_is_no_open_alert(operator: Client) -> None:
    scenes.make_night()
    assert "db.bloat of postgres." not in shown(operator)
    assert "db.bloat of postgres." in shown(operator, "?view=pending")
    assert "Nothing is about to fire of what fits" in shown(operator, "?view=pending&module=redis")


def test_steps_go_on_by_cursor_and_can_be_those_of_one_alert(operator: Client) -> None:
    alert = make_alert("db.connections", "postgres", message="first of all")
    for minute in range(60):
        scenes.step(alert, "firing", "recovering", timezone.now() - timedelta(minutes=minute))
    other = make_alert("cache.rtt", "redis")
    scenes.step(other, "pending", "firing", timezone.now())
    first = shown(operator, "?view=timeline")
    assert first.count('class="is-name"') == 50
    (link,) = re.findall(r'id="steps-next" href="([^"]+)"', first)
    assert shown(operator, link.replace("&amp;", "&")).count('class="is-name"') == 11
    assert shown(operator, f"?view=timeline&alert={other.pk}").count('class="is-name"') == 1


def test_messages_say_what_came_of_them(operator: Client) -> None:
    scenes.make_night()
    html = shown(operator, "?view=messages")
    assert [word for word in ("Given up", "Waiting", "Sent") if f">{word}</span>" in html] == [
        "Given up", "Waiting", "Sent",
    ]  # fmt: skip
    assert "The receiver answered 503." in html
    assert html.count('class="is-name"') == 3
    assert shown(operator, "?view=messages&state=sent").count('class="is-name"') == 1
    assert "Nothing fits these filters" in shown(operator, "?view=messages&channel=email")


def test_a_past_minute_shows_what_was_open_then_and_offers_nothing_to_do(operator: Client) -> None:
    make_day(hours=2)
    gone = make_alert("cache.rtt", "redis", minutes=60, message="It was slow.")
    Alert.objects.filter(pk=gone.pk).update(
        state=AlertState.RESOLVED, closed_at=timezone.now() - timedelta(minutes=20)
    )
    make_alert("db.bloat", "postgres", minutes=10, message="It came later.")
    at = f"{timezone.now() - timedelta(minutes=40):%Y-%m-%dT%H:%M}"
    html = shown(operator, f"?at={at}")
    assert "It was slow." in html
    assert "It came later." not in html
    assert "Acknowledge<" not in html
    assert "over since" in html
    now = shown(operator)
    assert "It was slow." not in now
    assert "It was slow." in shown(operator, "?view=ended")
