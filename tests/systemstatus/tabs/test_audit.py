"""The tab Audit: entries with what they changed and how it stood around them, the file, the chain's check."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from healthpilot.dataqueue.models import Job
from systemstatus import jobs
from systemstatus.audit import record_audit
from systemstatus.models import AlertTransition, AuditEntry, Snapshot
from tests.costs.factories import make_staff
from tests.healthpilot.dataqueue.jobs import run_all
from tests.systemstatus import scenes
from tests.systemstatus.factories import make_alert, make_day, this_minute
from tests.systemstatus.tabs.opened import opened

pytestmark = pytest.mark.django_db

TAB, CSV, CHECK = "/admin/status/audit", "/admin/status/audit/export.csv", "/admin/status/audit/check"


def shown(client: Client, query: str = "") -> str:
    return opened(client, "audit", query)


def change(minutes: float = 0, **fields: Any) -> AuditEntry:
    given: dict[str, Any] = {"actor": "ada", "action": "budget.save", "target": "tier:free", **fields}
    with time_machine.travel(timezone.now() - timedelta(minutes=minutes), tick=False):
        return record_audit(**given)


def rows(html: str) -> int:
    return html.count('class="is-name"')


@pytest.mark.parametrize("query", ["", "?view=chain", "?entry={}"])
def test_every_view_reads_in_four_queries_and_shows_odd_texts_as_text(query: str, operator: Client) -> None:
    scenes.make_night()
    odd = AuditEntry.objects.get(action="price.set")
    jobs.verify("ada")
    operator.get(TAB)
    with CaptureQueriesContext(connection) as asked:
        html = shown(operator, query.format(odd.pk))
    own = [one["sql"] for one in asked if not re.search(r"auth_user|auth_group|django_session", one["sql"])]
    assert len(own) <= 4, "\n".join(own)
    assert "<script>alert" not in html


def test_an_entry_tells_who_what_before_and_after_and_only_what_differs(operator: Client) -> None:
    before = {"daily_jobs_cap": "500", "same": "1", "gone": ["a", "b"]}
    after = {"daily_jobs_cap": "5", "same": "1", "more": ""}
    entry = change(before=before, after=after, reason="to save")
    for html in (shown(operator), shown(operator, f"?entry={entry.pk}")):
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
        assert "Budget saved tier:free" in text
        assert "to save" in text
        assert "500" in text
        assert re.search("a, b (→ gone|–)", text)
        assert "more empty" in text or "more – empty" in text
        assert "same" not in text
    assert entry.seal in html


def test_a_long_change_shows_its_first_parts_and_the_rest_on_its_own_page(operator: Client) -> None:
    after = {f"part_{number:02d}": "x" * 500 for number in range(12)}
    entry = change(after=after)
    html = shown(operator)
    assert "and 9 more" in html
    assert "x" * 81 not in html
    assert "x" * 500 in shown(operator, f"?entry={entry.pk}")


def test_an_entry_shows_how_it_stood_half_an_hour_before_and_after(operator: Client) -> None:
    make_day(hours=3)
    change(100, target="tier:first")
    change(75, target="tier:second")
    change(10, target="tier:third")
    make_alert("db.connections", "postgres", minutes=60, state="resolved",
               closed_at=timezone.now() - timedelta(minutes=30))  # fmt: skip
    html = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", shown(operator)))
    lately, just, earlier = (html.index(text) for text in ("tier:third", "tier:second", "tier:first"))
    assert "Error 30 minutes before → not over yet" in html[lately:just]
    assert "OK 30 minutes before → Error 30 minutes after" in html[just:earlier]
    assert "OK 30 minutes before → OK 30 minutes after" in html[earlier:]


def test_how_it_stood_is_what_the_verdict_said_and_not_alerts_alone(operator: Client) -> None:
    make_day(hours=2)
    now = this_minute()
    Snapshot.objects.filter(module="redis", captured_at__lt=now - timedelta(minutes=70)).update(
        state="critical"
    )
    Snapshot.objects.filter(module="r2", captured_at__gt=now - timedelta(minutes=40)).update(state="critical")
    change(60)
    html = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", shown(operator)))
    assert "Error 30 minutes before → Warning 30 minutes after" in html


def test_an_alert_counts_as_it_was_then(operator: Client) -> None:
    make_day(hours=2)
    alert = make_alert("cache.rtt", "redis", minutes=100, severity="critical")
    for minutes, severity in ((100, "warning"), (50, "critical")):
        at = timezone.now() - timedelta(minutes=minutes)
        AlertTransition.objects.create(alert=alert, occurred_at=at, from_state="ok", to_state="firing",
                                       severity=severity)  # fmt: skip
    change(60)
    html = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", shown(operator)))
    assert "Warning 30 minutes before → Error 30 minutes after" in html


def test_where_nothing_was_collected_it_is_unknown_and_not_well(operator: Client) -> None:
    change(60)
    html = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", shown(operator)))
    assert "Unknown 30 minutes before → Unknown 30 minutes after" in html


def test_filters_are_in_the_address_and_what_cannot_be_one_is_named(operator: Client) -> None:
    change(2 * 1440, target="tier:pro")
    change(action="queue.pause", target="queue free", actor="bob")
    change(action="job.retry", target="job 7")
    today = timezone.now().date()
    assert rows(shown(operator)) == 3
    assert rows(shown(operator, "?family=job")) == 2
    assert rows(shown(operator, "?who=BO")) == 1
    assert rows(shown(operator, "?what=tier:")) == 1
    assert rows(shown(operator, f"?first={today}&last={today}")) == 2
    assert rows(shown(operator, f"?last={today - timedelta(days=1)}")) == 1
    assert "Nothing fits these filters" in shown(operator, "?family=token")
    assert "Kind is not one of those in the list" in shown(operator, "?family=odd")
    assert "From day is not understood" in shown(operator, "?first=tomorrow")
    gone = AuditEntry.objects.latest("id").pk + 1
    assert f"There is no entry {gone}" in shown(operator, f"?entry={gone}")
    assert "does not belong to this list" in shown(operator, "?cursor=forged")


def test_pages_follow_each_other_and_keep_their_filter(operator: Client) -> None:
    for number in range(60):
        change(target=f"tier:{number}")
    change(action="job.retry", target="job 7")
    first = shown(operator, "?family=budget")
    assert rows(first) == 50
    (link,) = re.findall(r'id="entries-next" href="([^"]+)"', first)
    assert "family=budget" in link
    assert rows(shown(operator, link.replace("&amp;", "&"))) == 10


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = client.get(f"{CSV}{query}")
    assert answer.status_code == 200
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_holds_every_wanted_entry_and_no_text_that_calculates(operator: Client) -> None:
    for start in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "＝1"):
        change(actor=start, target=start, reason=start, after={"=x": "=1"})
    for number in range(1100):
        change(target=f"tier:{number}")
    found = exported(operator)
    assert len(found) == 1106
    assert [row["actor"] for row in found[:3]] == ["'=cmd|' /C calc'!A0", "'+1", "'-1"]
    assert not [cell for row in found for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert found[0]["after"] == '{"=x": "=1"}'
    assert found[0]["occurred_at"].endswith("Z")
    assert len(exported(operator, "?what=tier:109")) == 11
    assert operator.get(f"{CSV}?family=odd").status_code == 422


def test_a_check_of_the_chain_runs_in_a_worker_and_says_that_it_holds(operator: Client) -> None:
    for number in range(5):
        change(target=f"tier:{number}")
    assert "whether the chain holds is unknown" in shown(operator, "?view=chain")
    for _ in range(2):
        html = operator.post(CHECK, follow=True).content.decode()
    assert Job.objects.count() == 1
    assert "It waits for a worker." in html
    assert 'data-poll="2000"' in html
    run_all()
    html = shown(operator, "?view=chain")
    assert "Holds" in html
    assert "5 entries, each with the seal of the one before it." in html
    assert 'data-poll="2000"' not in html


def test_a_check_names_the_first_entry_that_does_not_hold(operator: Client) -> None:
    entries = [change(target=f"tier:{number}") for number in range(1200)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_insert_only")
        cursor.execute("UPDATE audit_entries SET actor = 'eve' WHERE id = %s", [entries[1100].pk])
        cursor.execute("DELETE FROM audit_entries WHERE id = %s", [entries[1150].pk])
        cursor.execute("ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_insert_only")
    operator.post(CHECK)
    run_all()
    html = shown(operator, "?view=chain")
    assert f"Entry {entries[1100].pk} is the first that does not hold, of 2" in html
    assert "its content does not match its seal" in html
    assert f"entry={entries[1100].pk}" in html


def test_an_empty_trail_holds(operator: Client) -> None:
    operator.post(CHECK)
    run_all()
    assert "0 entries, each with the seal" in shown(operator, "?view=chain")
    assert "Nothing has been changed yet" in shown(operator)


def test_a_viewer_reads_and_exports_and_does_not_have_it_checked(client: Client) -> None:
    change()
    client.force_login(make_staff())
    assert rows(shown(client)) == 1
    assert len(exported(client)) == 1
    assert "Verify the chain" not in shown(client, "?view=chain")
    assert client.post(CHECK).status_code == 403
    assert not Job.objects.exists()


def test_a_past_minute_ends_the_list_there(operator: Client) -> None:
    make_day(hours=1)
    change(50, target="long ago")
    change(5, target="lately")
    html = shown(operator, f"?at={timezone.now() - timedelta(minutes=30):%Y-%m-%dT%H:%M}")
    assert "long ago" in html
    assert "lately" not in html
