"""The job pages: who may see them, what they show in each state, and what their buttons do."""

import pytest
from django.test import Client
from django.utils import timezone

from healthpilot.dataqueue import heartbeat
from healthpilot.dataqueue.models import Job, Pause
from healthpilot.dataqueue.work import Step
from healthpilot.web.roles import Role
from tests.costs.factories import make_staff, make_visitor, make_with_role
from tests.healthpilot.dataqueue.jobs import put, seen

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_with_role(Role.OPERATOR))
    return client


def text_of(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_any_job_the_list_says_what_to_do(staff: Client) -> None:
    assert "No job has been queued yet" in text_of(staff, "/admin/jobs")


def test_the_list_shows_the_newest_first_by_pages(staff: Client) -> None:
    made = [put(user_id=f"user-{number}") for number in range(5)]
    first = text_of(staff, "/admin/jobs?limit=2")
    assert f"/admin/jobs/{made[4]}" in first
    assert f"/admin/jobs/{made[2]}" not in first
    cursor = first.split("cursor=")[1].split('"')[0].replace("&amp;", "&").split("&")[0]
    second = text_of(staff, f"/admin/jobs?limit=2&cursor={cursor}")
    assert f"/admin/jobs/{made[2]}" in second
    assert f"/admin/jobs/{made[4]}" not in second


def test_filters_hold_and_what_cannot_be_one_is_named(staff: Client) -> None:
    free, paid = put(tier="free"), put(tier="pro")
    shown = text_of(staff, "/admin/jobs?tier=pro&queue_class=paid&state=waiting&kind=test.rows")
    assert f"/admin/jobs/{paid}" in shown
    assert f"/admin/jobs/{free}" not in shown
    assert "No job fits these filters" in text_of(staff, "/admin/jobs?state=dead")
    assert "state is not one of those in the list" in text_of(staff, "/admin/jobs?state=odd")
    assert "does not belong to this list" in text_of(staff, "/admin/jobs?cursor=forged")


def test_a_limit_of_a_billion_is_two_hundred(staff: Client) -> None:
    job = Job.objects.get(pk=put())
    Job.objects.bulk_create(
        [Job(kind=job.kind, tier="free", user_id="u", domain="d", queue_class="free") for _ in range(205)]
    )
    assert text_of(staff, "/admin/jobs?limit=1000000000").count('<tr role="row"><th role="rowheader"') == 0
    assert text_of(staff, "/admin/jobs?limit=1000000000").count('role="rowheader"') == 200


def test_a_job_shows_its_progress_payload_and_story_with_secrets_hidden(staff: Client) -> None:
    job_id = put(payload={"batches": 4, "api_key": "sk-very-secret"})
    Job.objects.update(state="running", done=1, total=4, unit="batches", started_at=timezone.now())
    heartbeat.show(job_id, Step(done=3, total=4, unit="batches"), timezone.now())
    shown = text_of(staff, f"/admin/jobs/{job_id}")
    assert "3 of 4 batches, 75" in shown
    assert "very-secret" not in shown
    assert "•••" in shown
    assert "Queued" in shown


def test_the_fragment_polls_until_the_job_has_ended(staff: Client) -> None:
    job_id = put()
    assert "data-poll" in text_of(staff, f"/admin/jobs/{job_id}", **HTMX)
    Job.objects.update(state="succeeded", finished_at=timezone.now())
    ended = text_of(staff, f"/admin/jobs/{job_id}", **HTMX)
    assert "data-poll" not in ended
    assert "<html" not in ended


def test_a_deferred_job_says_why_and_until_when(staff: Client) -> None:
    job_id = put()
    Job.objects.update(
        state="deferred", not_before="2100-01-01T00:00Z", defer_reason="cpu_ms of free is used up"
    )
    shown = text_of(staff, f"/admin/jobs/{job_id}")
    assert "cpu_ms of free is used up" in shown
    assert "2100-01-01 00:00:00 UTC" in shown


def test_what_comes_from_outside_is_shown_as_text(staff: Client) -> None:
    job_id = put(user_id="<script>x</script>")
    Job.objects.update(state="dead", error_code="<b>", error_message="<img src=x>")
    for path in ("/admin/jobs", f"/admin/jobs/{job_id}"):
        shown = text_of(staff, path)
        assert "<script>x" not in shown
        assert "<img" not in shown


def test_a_button_acts_once_and_says_what_became_of_it(staff: Client) -> None:
    job_id = put()
    first = staff.post(f"/admin/jobs/{job_id}/cancel", follow=True)
    assert f"Job {job_id} is cancelled." in first.content.decode()
    second = staff.post(f"/admin/jobs/{job_id}/cancel", follow=True)
    assert "was not cancelled" in second.content.decode()
    assert seen(job_id).state == "cancelled"


def test_a_queue_is_paused_and_resumed(staff: Client) -> None:
    assert "Free tier is paused" in staff.post("/admin/jobs/queues/free/pause", follow=True).content.decode()
    assert Pause.objects.get().actor == "operator"
    assert "Free tier goes on" in staff.post("/admin/jobs/queues/free/resume", follow=True).content.decode()
    assert not Pause.objects.exists()


@pytest.mark.parametrize(
    "path", ["/admin/jobs/1/explode", "/admin/jobs/queues/none/pause", "/admin/jobs/queues/free/explode"]
)
def test_an_action_that_does_not_exist_is_not_found(staff: Client, path: str) -> None:
    put()
    assert staff.post(path).status_code == 404


def test_unsafe_actions_need_a_token_and_a_post() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_with_role(Role.OPERATOR))
    job_id = put()
    assert client.post(f"/admin/jobs/{job_id}/cancel").status_code == 403
    assert client.get(f"/admin/jobs/{job_id}/cancel").status_code == 405
    assert seen(job_id).state == "waiting"


def test_a_viewer_sees_jobs_and_may_not_act(client: Client) -> None:
    job_id = put()
    client.force_login(make_staff())
    assert '<form method="post" action="/admin/jobs' not in text_of(client, "/admin/jobs")
    assert "Cancel" not in text_of(client, f"/admin/jobs/{job_id}")
    assert client.post(f"/admin/jobs/{job_id}/cancel").status_code == 403
    assert client.post("/admin/jobs/queues/free/pause").status_code == 403
    assert seen(job_id).state == "waiting"


@pytest.mark.parametrize("path", ["/admin/jobs", "/admin/jobs/1"])
def test_only_staff_see_jobs(client: Client, path: str) -> None:
    assert client.get(path).status_code == 302
    client.force_login(make_visitor())
    assert client.get(path).status_code == 403


@pytest.mark.parametrize("job_id", [4711, 2**63, 10**30])
def test_a_job_that_is_not_there_is_not_found(staff: Client, job_id: int) -> None:
    assert staff.get(f"/admin/jobs/{job_id}").status_code == 404
    assert staff.post(f"/admin/jobs/{job_id}/cancel").status_code == 404
    assert staff.get(f"/api/jobs/{job_id}").status_code == 404
