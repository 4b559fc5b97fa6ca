"""What a job left: handed out while it is kept, said to be gone after that, and removed by the tick."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from healthpilot.dataqueue.models import Job, State
from healthpilot.dataqueue.tasks import prune
from healthpilot.dataqueue.work import folder_of
from healthpilot.web.roles import Role
from tests.costs.factories import make_with_role
from tests.healthpilot.dataqueue.jobs import put

pytestmark = pytest.mark.django_db
NAME = "rows.csv"


@pytest.fixture
def staff(client: Client, settings: Any, tmp_path: Path) -> Client:
    settings.HEALTHPILOT_VAR, settings.DATAQUEUE_RETENTION_DAYS = tmp_path, 3
    client.force_login(make_with_role(Role.VIEWER))
    return client


def ended(days_ago: int, *, with_file: bool = True) -> int:
    """Store a job that ended so many days ago and says it left a file."""
    job_id = put()
    Job.objects.filter(pk=job_id).update(
        state=State.SUCCEEDED,
        finished_at=timezone.now() - timedelta(days=days_ago),
        result={"files": [{"name": NAME, "about": "each refused row"}]},
    )
    if with_file:
        folder_of(job_id).mkdir(parents=True)
        (folder_of(job_id) / NAME).write_text("a,b\n")
    return job_id


def page(client: Client, job_id: int, rest: str = "") -> tuple[int, str]:
    answer: Any = client.get(f"/admin/jobs/{job_id}{rest}")
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, body.decode()


def fetched(client: Client, job_id: int) -> tuple[int, str]:
    return page(client, job_id, f"/files/{NAME}")


def test_a_file_is_handed_out_and_the_page_says_until_when_it_is_kept(staff: Client) -> None:
    job_id = ended(1)
    until = timezone.now() + timedelta(days=2)
    assert f"each refused row; kept until {until.day} {until:%b %Y}" in page(staff, job_id)[1]
    assert fetched(staff, job_id) == (200, "a,b\n")
    assert staff.get(f"/api/jobs/{job_id}").json()["files"] == [f"/admin/jobs/{job_id}/files/{NAME}"]


def test_after_its_time_a_file_is_not_handed_out_though_it_still_lies_there(staff: Client) -> None:
    job_id = ended(4)
    status, said = fetched(staff, job_id)
    assert (status, "This file is not there any more" in said) == (410, True)
    assert "All jobs" in said
    assert "kept for 3 days after the job&#x27;s end. Start the job again" in said
    assert "is not kept any more, since" in page(staff, job_id)[1]
    assert staff.get(f"/api/jobs/{job_id}").json()["files"] == []


def test_a_file_that_is_on_another_machine_is_said_to_be(staff: Client) -> None:
    job_id = ended(1, with_file=False)
    assert "is not on this machine" in page(staff, job_id)[1]
    status, said = fetched(staff, job_id)
    assert (status, "HEALTHPILOT_VAR is not shared" in said) == (410, True)


def test_the_tick_removes_job_and_file_and_their_pages_say_what_to_do(staff: Client) -> None:
    old, young = ended(4), ended(2)
    prune()
    assert list(Job.objects.values_list("id", flat=True)) == [young]
    assert (folder_of(old).exists(), fetched(staff, young)[0]) == (False, 200)
    for rest in ("", f"/files/{NAME}"):
        status, said = page(staff, old, rest)
        assert (status, "This job is not there any more" in said) == (410, True)
        assert "3 days after their end" in said


def test_what_never_was_is_not_found(staff: Client) -> None:
    job_id = ended(1)
    assert page(staff, job_id + 1)[0] == 404
    assert page(staff, job_id, "/files/other.csv")[0] == 404


def test_the_tick_removes_folders_whose_job_another_machine_removed_and_no_young_one(staff: Client) -> None:
    old, young = ended(1), ended(1)
    kept = ended(1)
    Job.objects.filter(pk__in=(old, young)).delete()
    long_ago = time.time() - 4 * 86_400
    for job_id in (old, kept):
        os.utime(folder_of(job_id), (long_ago, long_ago))
    prune()
    assert [folder_of(job_id).exists() for job_id in (old, young, kept)] == [False, True, True]
