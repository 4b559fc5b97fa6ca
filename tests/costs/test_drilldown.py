"""The pages of one user, domain, model or job type over HTTP, hostile names among them."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from costs import events, histories
from costs.histories import TooMuchError, bounded
from costs.models import CostBreakdownDaily
from costs.prices import queries
from costs.ranges import ending_today
from costs.subjects import DOMAIN, JOB_TYPE, KINDS, USER, Kind, Subject
from telemetry.models import DroppedPartition
from tests.costs import recorded
from tests.costs.events import job, store
from tests.costs.factories import days_ago, make_breakdown, make_staff, make_user_day, today

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS_ONLY = {"HX-Request": "true", "HX-Target": "events"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def page(client: Client, address: str, *, status: int = 200, headers: dict[str, str] | None = None) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == status
    return answer.content.decode()


def ids_shown(shown: str) -> list[str]:
    return re.findall(r'<time datetime="([^"]+)"', shown.split('id="events"')[-1])


def test_a_page_shows_what_it_is_made_of_and_links_onwards(staff: Client) -> None:
    recorded.make_events()
    shown = page(staff, "/admin/cost/users/usr_a?days=7")
    for title in ("By domain", "By model", "By tier", "Dearest events", "Slowest events", "Recent events"):
        assert title in shown
    assert 'href="/admin/cost/models/m-priced?days=7"' in shown
    assert 'href="/admin/cost/job-types/sync_cdrs?days=7"' in shown
    assert 'id="kpi-jobs"' not in page(staff, "/admin/cost/models/m-priced?days=7")


def test_a_models_page_says_which_price_made_which_days(staff: Client) -> None:
    recorded.make_events()
    shown = page(staff, "/admin/cost/models/m-priced?days=30").split('id="prices"')[1].split("</section>")[0]
    made = [row for row in queries.used("m-priced", ending_today(30, today())) if row.price]
    assert [row.price.input_usd_per_million for row in made if row.price] == [Decimal("2.5")]
    assert sum(row.calls for row in made) == sum(
        CostBreakdownDaily.objects.filter(kind="model", key="m-priced").values_list("ai_calls", flat=True)
    )
    assert f"number {made[0].price.pk}" in shown  # type: ignore[union-attr] # filtered above
    assert "/admin/cost/prices/history?model=m-priced" in shown
    assert "at default rates" in page(staff, "/admin/cost/models/m-unknown?days=30")
    assert 'id="prices"' not in page(staff, "/admin/cost/users/usr_a?days=30")


def test_a_price_that_days_in_between_do_not_have_is_named_for_each_stretch_of_days() -> None:
    for back, price_id in ((6, 1), (4, 2), (3, 2), (1, 1)):
        make_breakdown(days_ago(back), "model", "m", "2", ai_calls=5, price_id=price_id)
    found = queries.used("m", ending_today(7, today()))
    assert [(row.first_on, row.last_on, row.calls) for row in found] == [
        (days_ago(1), days_ago(1), 5),
        (days_ago(4), days_ago(3), 10),
        (days_ago(6), days_ago(6), 5),
    ]


def test_the_chart_of_a_subject_names_its_dotted_line_and_its_hatched_bar(staff: Client) -> None:
    recorded.make_events()
    shown = page(staff, "/admin/cost/domains/ai?days=7")
    assert re.search(r"The period before, \d", shown)
    assert "Today so far" in shown
    assert "The period before," not in page(staff, "/admin/cost/domains/ai?days=7&compare=none")


def test_events_page_there_and_back_and_meet_each_once(staff: Client) -> None:
    recorded.make_events(days=6, each_day=26)
    everything = list(events.recent(Subject(USER, "usr_a"), ending_today(30, today()), limit=200).rows)
    address, seen, shown = "/admin/cost/users/usr_a?days=30", [], ""
    while address:
        shown = page(staff, address, headers=EVENTS_ONLY)
        seen += ids_shown(shown)
        following = re.search(r'id="events-next" href="([^"#]+)', shown)
        address = "/admin/cost/users/usr_a" + unescape(following[1]) if following else ""
    assert len(seen) == len(everything) > 20
    assert seen == sorted(seen, reverse=True)
    back = re.search(r'id="events-previous" href="([^"#]+)', shown)
    assert back
    before = page(staff, "/admin/cost/users/usr_a" + unescape(back[1]))
    assert len(ids_shown(before)) == 20


def test_events_at_one_moment_are_not_lost_between_pages() -> None:
    at = timezone.now()
    store(*(job(at, job_id=str(number)) for number in range(7)))
    subject, asked, cursor, seen = Subject(USER, "ada"), ending_today(7, today()), None, []
    while True:
        found = events.recent(subject, asked, limit=3, cursor=cursor)
        seen += [event.id for event in found.rows]
        if not (cursor := found.next_cursor):
            break
    assert len(seen) == len(set(seen)) == 7


def test_the_slowest_and_dearest_are_those_of_the_range() -> None:
    recorded.make_events()
    subject, week = Subject(USER, "usr_a"), ending_today(7, today())
    inside = list(events.recent(subject, week, limit=200).rows)
    slowest = events.extreme(subject, week, "slowest")
    dearest = events.extreme(subject, week, "dearest")
    assert [one.duration_ms for one in slowest] == sorted(
        (one.duration_ms or 0 for one in inside), reverse=True
    )[:5]
    assert [one.cost_exact for one in dearest] == sorted((one.cost_exact for one in inside), reverse=True)[:5]


def test_hostile_names_are_plain_text_on_their_pages_and_in_their_sheets(staff: Client) -> None:
    recorded.make_hostile_events()
    for kind in KINDS.values():
        for name in recorded.HOSTILE:
            check_hostile(staff, kind, name[:16] if kind is DOMAIN else name)


def check_hostile(staff: Client, kind: Kind, name: str) -> None:
    address = reverse(f"costs:{kind.name}", args=[name])
    shown = page(staff, f"{address}?days=7")
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert name in unescape(shown)
    for sheet in ("events", "history", f"parts-{kind.parts[0]}"):
        rows = csv.reader(io.StringIO(page(staff, f"{address}?days=7&csv={sheet}")[1:], newline=""))
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t", "\r"))]


def test_a_name_never_recorded_is_not_found_and_one_of_other_days_is_known(staff: Client) -> None:
    recorded.make_events()
    assert "No user of this name has been recorded" in page(staff, "/admin/cost/users/nobody", status=404)
    address = f"/admin/cost/users/usr_a?from={days_ago(60)}&to={days_ago(50)}"
    assert "This user is known, but not within" in page(staff, address)
    assert page(staff, "/admin/cost/users/~YWRh", status=404)


def test_who_looks_at_90_days_in_vain_is_not_sent_to_them_again(staff: Client) -> None:
    make_user_day(days_ago(200), "gone", jobs=1)
    assert "Show 90 days" in page(staff, "/admin/cost/users/gone?days=30")
    assert "Show 90 days" not in page(staff, "/admin/cost/users/gone?days=90")


def test_raw_rows_gone_by_retention_are_said_to_be_gone(staff: Client) -> None:
    recorded.make_events(days=5)
    connection.cursor().execute("DELETE FROM telemetry_job_events")
    connection.cursor().execute("DELETE FROM telemetry_llm_events")
    gone = timezone.now()
    for kind in ("job", "llm"):
        DroppedPartition.objects.create(
            table_name=f"telemetry_{kind}_events", lower_at=gone - timedelta(days=9), upper_at=gone
        )
    shown = page(staff, "/admin/cost/users/usr_a?days=7")
    assert "are gone by retention" in shown
    assert "No raw events left" in shown
    assert "Cost per day" in shown
    assert "are gone by retention" not in page(
        staff, f"/admin/cost/users/usr_a?from={days_ago(60)}&to={days_ago(20)}"
    )


def test_a_read_that_takes_too_long_is_cut_short() -> None:
    with pytest.raises(TooMuchError), bounded(50), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] != "50ms"


def test_parts_that_take_too_long_leave_the_rest_of_the_page(staff: Client) -> None:
    recorded.make_events(days=5)
    with mock.patch.object(histories, "parts", side_effect=TooMuchError) as read:
        shown = page(staff, "/admin/cost/domains/ai?days=7")
    assert read.call_count == 1
    assert "There is too much of it to read for a page" in shown
    assert "Recent events" in shown


def test_a_job_type_with_too_many_rows_asks_for_fewer_days(staff: Client) -> None:
    with mock.patch.object(histories, "history", side_effect=TooMuchError):
        assert "Too much to read for a page" in page(staff, "/admin/cost/job-types/sync_cdrs")
    assert JOB_TYPE.parts == ("user", "domain", "tier")


def test_a_failing_database_is_a_clear_page_that_names_what_was_asked_for(staff: Client) -> None:
    with mock.patch.object(histories, "history", side_effect=OperationalError("gone")):
        shown = page(staff, "/admin/cost/users/usr_a", status=503)
    assert "The figures could not be read" in shown
    assert "usr_a" in shown


def test_an_unknown_sheet_is_named(staff: Client) -> None:
    recorded.make_events(days=2)
    assert "There is no sheet 'planets'" in page(staff, "/admin/cost?csv=planets", status=404)
    assert "There is no sheet 'parts-user'" in page(
        staff, "/admin/cost/users/usr_a?csv=parts-user", status=404
    )
