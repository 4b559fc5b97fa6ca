"""The tab Jobs: how queues, workers and the schedule stand, what runs and waits, and what may be done."""

import re
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from healthpilot.dataqueue import heartbeat
from healthpilot.dataqueue.models import Job, Pause
from healthpilot.dataqueue.work import Step
from healthpilot.web.roles import Role
from systemstatus.models import AuditEntry
from tests.costs.factories import make_staff, make_with_role
from tests.healthpilot.dataqueue.jobs import put, seen
from tests.systemstatus import scenes
from tests.systemstatus.factories import make_day, make_snapshot, this_minute
from tests.systemstatus.tabs.opened import opened

pytestmark = pytest.mark.django_db

TAB = "/admin/status/jobs"


def shown(client: Client, query: str = "") -> str:
    return opened(client, "jobs", query)


def words(html: str) -> str:
    """Return what a reader sees, a mark by its word."""
    marked = re.sub(r'<svg class="s [^>]*aria-label="(\w+)".*?</svg>', r" (\1) ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", marked)).replace("\u202f", " ")


def card(html: str, title: str) -> str:
    """Return the words of one card."""
    (found,) = re.findall(
        rf'<section class="card"[^>]*aria-labelledby="{title}".*?</section>', html, re.DOTALL
    )
    return words(found)


@pytest.mark.parametrize("query", ["", "?view=all", "?view=all&state=dead"])
def test_every_view_reads_in_four_queries_and_shows_odd_texts_as_text(query: str, operator: Client) -> None:
    scenes.make_jobs()
    operator.get(TAB)
    with CaptureQueriesContext(connection) as asked:
        html = shown(operator, query)
    own = [one["sql"] for one in asked if not re.search(r"auth_user|auth_group|django_session", one["sql"])]
    assert len(own) <= 4, "\n".join(own)
    assert "<script>alert" not in html


def test_queues_show_depth_age_canary_and_who_takes_from_them(operator: Client) -> None:
    scenes.make_jobs()
    queues = card(shown(operator), "queues-title")
    assert re.search(r"Free tier 412 \(Warning\) 6 min 52 s \(Error\) .* 93 s \(Warning\) Served", queues)
    assert re.search(r"Heavy work Paused 0 \(OK\) .* Unknown None Resume", queues)
    assert re.search(r"Paid tiers 3 \(OK\) 2.0 s \(OK\) .* 40 ms \(OK\)", queues)


def test_workers_show_their_heartbeat_and_what_they_have_in_hand(operator: Client) -> None:
    scenes.make_jobs()
    workers = card(shown(operator), "workers-title")
    assert "celery@web-1 pid 4711 3.1 s (OK) paid, free 1 of 2 dataqueue.run" in workers
    assert "74 s (Error)" in workers


def test_the_schedule_shows_the_latest_first(operator: Client) -> None:
    scenes.make_jobs()
    schedule = card(shown(operator), "schedule-title")
    assert schedule.index("collect metrics") < schedule.index("roll up open days")
    assert "75 s (Warning) 60 s" in schedule
    assert "Run now collect metrics" in schedule
    assert "by the clock" in schedule[schedule.index("celery.backend_cleanup") :]
    assert "Run now celery.backend_cleanup" not in schedule


def test_job_types_are_judged_from_enough_attempts_only(operator: Client) -> None:
    scenes.make_jobs()
    types = card(shown(operator), "types-title")
    assert "in the last 15 minutes" in types
    assert "report.build 1 0.07 0 % 812 ms 91 ms 12 s" in types
    assert "3.3 % (OK)" in types


def test_running_deferred_and_failed_jobs_stand_apart_with_reason_and_time(operator: Client) -> None:
    scenes.make_jobs()
    running = Job.objects.get(state="running", cancel_by="")
    heartbeat.show(running.pk, Step(done=3000, total=4000), timezone.now())
    html = shown(operator)
    assert "3,000 of 4,000 rows, 75 % last sign of life just now" in card(html, "running-title")
    assert "stops after this batch" in card(html, "running-title")
    assert re.search(r"Runs in 2 h 59 min : (CPU is used|Used) up\.", card(html, "deferred-title"))
    failed = card(html, "failing-title")
    assert "Failed 3" in failed
    assert "Tried again in 2 min" in failed
    assert failed.index("Parked") < failed.index("Failed for good") < failed.index("Will retry")


def test_what_was_not_collected_is_unknown_and_says_what_would_fill_it(operator: Client) -> None:
    make_day(hours=1)
    html = shown(operator)
    for title, text in (
        ("queues-title", "The check ‘depth’ of DataQueue fills it"),
        ("workers-title", "A worker that starts says so by itself"),
        ("types-title", "The check ‘types’ of DataQueue fills it"),
        ("schedule-title", "beat says by itself how its entries stand"),
    ):
        assert "Unknown" in card(html, title)
        assert text in card(html, title)
        assert "OK" not in card(html, title)


def test_without_a_worker_it_says_so_and_what_to_do(operator: Client) -> None:
    make_day(hours=1, until=this_minute() - timedelta(minutes=1))
    make_snapshot("workers", state="critical", detail={"workers": []})
    assert "No worker runs Jobs wait, and nothing is lost. Start one" in card(
        shown(operator), "workers-title"
    )


def test_a_past_minute_shows_its_snapshot_and_no_job_of_now(operator: Client) -> None:
    scenes.make_jobs()
    at = this_minute() - timedelta(minutes=20)
    html = shown(operator, f"?at={at:%Y-%m-%dT%H:%M}")
    assert "Ran at this minute" in html
    assert "telemetry.import" not in html
    assert ">Pause<" not in html
    assert "Retry" not in html


def test_the_list_of_all_jobs_has_filters_and_pages(operator: Client) -> None:
    for number in range(60):
        put(user_id=f"user-{number}")
    dead = put(tier="pro")
    Job.objects.filter(pk=dead).update(state="dead", finished_at=timezone.now())
    first = shown(operator, "?view=all")
    assert first.count('class="job-line"') == 50
    (link,) = re.findall(r'id="jobs-next" href="([^"]+)"', first)
    assert shown(operator, link.replace("&amp;", "&")).count('class="job-line"') == 11
    assert shown(operator, "?view=all&state=dead").count('class="job-line"') == 1
    assert "Nothing fits these filters" in shown(operator, "?view=all&state=parked")
    assert "state is not one of those" in shown(operator, "?view=all&state=odd")
    assert "does not belong to this list" in shown(operator, "?view=all&cursor=forged").lower()


def test_a_job_is_cancelled_once_and_the_second_is_told(operator: Client) -> None:
    job_id = put()
    path = f"{TAB}/{job_id}/cancel"
    assert f"Job {job_id} is cancelled." in operator.post(path, follow=True).content.decode()
    answer = operator.post(path, {"view": "all"}, follow=True)
    assert "was not cancelled" in answer.content.decode()
    assert answer.redirect_chain == [(f"{TAB}?view=all", 302)]
    assert seen(job_id).state == "cancelled"
    assert f"Job {job_id} waits" in operator.post(f"{TAB}/{job_id}/retry", follow=True).content.decode()
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "job.cancel",
        "job.retry",
    ]


def test_a_queue_is_paused_and_resumed_from_the_tab(operator: Client) -> None:
    assert "is paused" in operator.post(f"{TAB}/queues/free/pause", follow=True).content.decode()
    assert Pause.objects.get().actor == "operator"
    assert "goes on" in operator.post(f"{TAB}/queues/free/resume", follow=True).content.decode()


def test_an_entry_of_the_schedule_is_sent_at_once_and_audited(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **options: sent.append(task))
    told = operator.post(f"{TAB}/schedule/run", {"entry": "keep grains"}, follow=True).content.decode()
    assert "“keep grains” was sent to a worker." in told
    assert sent == ["systemstatus.keep_grains"]
    told = operator.post(f"{TAB}/schedule/run", {"entry": "nothing"}, follow=True).content.decode()
    assert "The schedule has no such entry." in told
    assert AuditEntry.objects.get().target == "keep grains"


def test_a_broker_that_does_not_take_it_is_said_and_nothing_is_audited(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(task: str, **options: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(current_app, "send_task", refuse)
    told = operator.post(f"{TAB}/schedule/run", {"entry": "keep grains"}, follow=True).content.decode()
    assert "The broker did not take it: ConnectionError." in told
    assert not AuditEntry.objects.exists()


def test_only_operators_act_and_what_is_no_act_is_not_found(operator: Client) -> None:
    job_id = put()
    for path in (f"{TAB}/{job_id}/explode", f"{TAB}/queues/none/pause", f"{TAB}/queues/free/explode"):
        assert operator.post(path).status_code == 404
    viewer = Client()
    viewer.force_login(make_staff())
    paths = (f"{TAB}/{job_id}/cancel", f"{TAB}/queues/free/pause", f"{TAB}/schedule/run")
    assert [viewer.post(path).status_code for path in paths] == [403] * 3
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_with_role(Role.ADMIN))
    assert [strict.post(path).status_code for path in paths] == [403] * 3
    assert "Cancel<" not in shown(viewer, "?view=all")
    assert seen(job_id).state == "waiting"
