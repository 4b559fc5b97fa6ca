"""Acknowledge, silence, announce maintenance: once, by whom it may be, and said clearly where it may not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from healthpilot.web.roles import Role
from systemstatus.models import Alert, AuditEntry, Maintenance, Silence
from tests.costs.factories import make_staff, make_with_role
from tests.systemstatus.factories import HOSTILE, make_alert

pytestmark = pytest.mark.django_db

SILENCE, MAINTENANCE = "/admin/status/alerts/silence", "/admin/status/alerts/maintenance"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make_with_role(Role.OPERATOR))
    return client


def posted(client: Client, path: str, status: int = 200, **fields: str) -> str:
    answer = client.post(path, fields, follow=True)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def silence(client: Client, status: int = 200, **fields: str) -> str:
    given = {"rule": "db.*", "module": "*", "target": "*", "reason": "known", "lasts": "60"}
    return posted(client, SILENCE, status, **given | fields)


def test_an_alert_is_acknowledged_with_a_note_and_nothing_else(operator: Client) -> None:
    alert = make_alert("db.connections", "postgres")
    path = f"/admin/status/alerts/{alert.pk}/acknowledge"
    assert "db.connections of postgres." in operator.get(path).content.decode()
    assert "Write a note" in posted(operator, path, 422, note="  ")
    assert "Acknowledged: db.connections of postgres." in posted(operator, path, note="on it")
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledgement, alert.severity) == ("operator", "on it", "critical")


def test_a_double_click_acknowledges_once_and_says_the_same(operator: Client) -> None:
    alert = make_alert("db.connections", "postgres")
    for _ in range(2):
        told = posted(operator, f"/admin/status/alerts/{alert.pk}/acknowledge", note="on it")
        assert "Acknowledged: db.connections" in told
    assert AuditEntry.objects.count() == 1
    assert alert.transitions.count() == 1


def test_the_second_of_two_admins_is_told_who_came_first(operator: Client) -> None:
    alert = make_alert("db.connections", "postgres")
    path = f"/admin/status/alerts/{alert.pk}/acknowledge"
    posted(operator, path, note="on it")
    other = Client()
    other.force_login(make_with_role(Role.ADMIN))
    assert "operator acknowledged it at" in posted(other, path, 422, note="me too")
    alert.refresh_from_db()
    assert alert.acknowledged_by == "operator"


def test_an_alert_that_is_over_or_never_was_cannot_be_acknowledged(operator: Client) -> None:
    over = make_alert("db.connections", "postgres", state="resolved", closed_at=timezone.now())
    told = posted(operator, f"/admin/status/alerts/{over.pk}/acknowledge", 422, note="late")
    assert "This alert is over" in told
    for number in (over.pk + 1, 2**63, 10**30):
        assert operator.get(f"/admin/status/alerts/{number}/acknowledge").status_code == 404


def test_a_silence_begins_with_the_alert_it_was_opened_from(operator: Client) -> None:
    html = operator.get(f"{SILENCE}?rule=db.bloat&module=postgres&target={HOSTILE}").content.decode()
    assert 'value="db.bloat"' in html
    assert "<img src=x" not in html


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"lasts": ""}, "A silence needs an end, at most 7 days from its start"),
        ({"reason": " "}, "Say why"),
        ({"rule": "", "module": "", "target": ""}, "a silence of everything hides outages"),
        ({"lasts": "", "ends_at": "2020-01-01T00:00"}, "must end after it begins"),
        ({"lasts": "", "ends_at": "2999-01-01T00:00"}, "lasts 7 days at most"),
        ({"lasts": "", "ends_at": "tomorrow"}, "Write a minute in UTC"),
        ({"lasts": "9"}, "Select a valid choice"),
        ({"target": "a\0b"}, "Null characters"),
        ({"rule": "x" * 81}, "at most 80 printable"),
    ],
)
def test_a_silence_that_cannot_be_is_refused_beside_its_field_and_keeps_what_was_typed(
    given: dict[str, str], why: str, operator: Client
) -> None:
    html = silence(operator, 422, **{"reason": "known of"} | given)
    assert why in html
    assert "Nothing was done" in html
    assert "reason" in given or 'value="known of"' in html
    assert not Silence.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_silence_holds_until_its_time_and_is_ended_by_a_button(operator: Client) -> None:
    at = timezone.now() + timedelta(days=2)
    html = silence(operator, lasts="", ends_at=f"{at:%Y-%m-%dT%H:%M}")
    assert "Kept quiet: db.* * * until" in html
    row = Silence.objects.get()
    assert (row.author, row.ends_at) == ("operator", at.replace(second=0, microsecond=0))
    end = f"/admin/status/alerts/silences/{row.pk}/end"
    assert "The silence is over" in posted(operator, end)
    assert "This is over already." in posted(operator, end)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "alert.silence",
        "alert.silence.end",
    ]


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_many_times_at_once_makes_one_silence() -> None:
    user = make_with_role(Role.OPERATOR)
    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(user)

    def send(client: Client) -> Any:
        try:
            return client.post(SILENCE, {"rule": "db.*", "reason": "known", "lasts": "60"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(send, clients)) == {302}
    assert Silence.objects.count() == AuditEntry.objects.count() == 1


def test_maintenance_may_begin_later_and_can_be_taken_back(operator: Client) -> None:
    begins, ends = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=2)
    times = {"starts_at": f"{begins:%Y-%m-%d %H:%M}", "ends_at": f"{ends:%Y-%m-%dT%H:%M}"}
    html = posted(operator, MAINTENANCE, 200, module="postgres", reason="upgrade", **times)
    assert "Kept quiet: * postgres *" in html
    row = Maintenance.objects.get()
    assert "window is over" in posted(operator, f"/admin/status/alerts/maintenance/{row.pk}/end")
    assert "needs an end" in posted(operator, MAINTENANCE, 422, module="postgres", reason="upgrade")


def test_a_viewer_looks_and_does_not_act_and_every_act_needs_its_token(client: Client) -> None:
    alert = make_alert("db.connections", "postgres")
    paths = [
        f"/admin/status/alerts/{alert.pk}/acknowledge",
        SILENCE,
        MAINTENANCE,
        "/admin/status/alerts/silences/1/end",
        "/admin/status/alerts/maintenance/1/end",
    ]
    client.force_login(make_staff())
    assert [client.post(path, {"note": "x"}).status_code for path in paths] == [403] * 5
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_with_role(Role.OPERATOR))
    assert [strict.post(path, {"note": "x"}).status_code for path in paths] == [403] * 5
    assert [strict.get(path).status_code for path in paths[3:]] == [405, 405]
    assert not Alert.objects.exclude(acknowledged_by="").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_press_at_once_one_acknowledges_and_the_other_is_told() -> None:
    alert = make_alert("db.connections", "postgres")
    admins = [Client() for _ in range(2)]
    for number, client in enumerate(admins):
        client.force_login(make_with_role(Role.ADMIN, f"admin{number}"))

    def press(client: Client) -> int:
        try:
            path = f"/admin/status/alerts/{alert.pk}/acknowledge"
            return client.post(path, {"note": "on it"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(press, admins)) == [302, 422]
    assert AuditEntry.objects.count() == alert.transitions.count() == 1
