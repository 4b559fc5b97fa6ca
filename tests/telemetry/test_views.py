"""The page that shows how to record, and the line that says what arrived last."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from telemetry.models import JobEvent
from telemetry.snippets import SNIPPETS
from tests.costs.events import call, execute, job, store
from tests.costs.factories import make_staff, make_visitor

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/instrument"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def text(client: Client, **headers: str) -> str:
    answer = client.get(PAGE, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def test_it_is_for_staff() -> None:
    assert Client().get(PAGE)["Location"].startswith("/accounts/login/")
    visitor = Client()
    visitor.force_login(make_visitor())
    assert visitor.get(PAGE).status_code == 403


def test_it_shows_every_program_with_a_way_to_copy_it_and_its_place_in_the_navigation(staff: Client) -> None:
    page = staff.get(PAGE).content.decode()
    for snippet in SNIPPETS:
        assert f'data-copy="code-{snippet.name}"' in page
        assert snippet.title in page
    assert page.count('aria-current="page">') >= 2
    assert "http://testserver/api/ingest/events" in page


def test_the_line_turns_when_the_first_event_arrives(staff: Client) -> None:
    assert "Last event received: nothing yet" in text(staff)
    store(job(ago(seconds=4), job_type="nightly-report"))
    line = text(staff, **{"HX-Request": "true"})
    assert line.startswith('<div id="last-event"')
    assert "nightly-report" in line
    assert " s ago</time>" in line


def test_the_newest_of_both_kinds_is_named_and_a_failure_is_said(staff: Client) -> None:
    store(job(ago(hours=3), job_type="nightly-report", success=False))
    assert '<bdi class="plain">nightly-report</bdi>, which failed.' in text(staff)
    assert "Nothing since: is the application running?" in text(staff)
    store(call(ago(minutes=3), llm_model="gpt-4o-mini"))
    line = text(staff)
    assert 'Call <bdi class="plain">gpt-4o-mini</bdi>.' in line
    assert "3 min ago" in line


def test_hostile_names_are_text(staff: Client) -> None:
    store(job(ago(seconds=1), job_type="<script>alert(1)</script>"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text(staff)


def test_a_database_that_fails_is_said_and_the_programs_stay(staff: Client) -> None:
    execute("ALTER TABLE telemetry_llm_events RENAME TO away")
    try:
        page = text(staff)
    finally:
        execute("ALTER TABLE away RENAME TO telemetry_llm_events")
    assert "The database gave an error" in page
    assert "code-openai_call" in page


def test_the_last_event_is_read_along_the_key_and_not_sorted_out() -> None:
    store(*(job(ago(seconds=n)) for n in range(50)))
    newest = JobEvent.objects.order_by("-created_at", "-id")[:1]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = newest.explain()
        cursor.execute("SET enable_seqscan = on")
    assert "Index" in plan
    assert "Sort" not in plan
