"""manage.py jobs, as an operator and a script use it."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from healthpilot.dataqueue.models import Job
from tests.healthpilot.dataqueue.jobs import put, seen

pytestmark = pytest.mark.django_db


def jobs(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("jobs", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_list_shows_queues_and_jobs_and_pages_by_cursor() -> None:
    first, second = put(), put(tier="pro")
    told = json.loads(jobs("list", "--limit", 1, "--json"))
    assert [job["id"] for job in told["jobs"]] == [str(second)]
    assert {queue["name"]: queue["waiting"] for queue in told["queues"]} == {
        "paid": 1, "free": 1, "heavy": 0, "system": 0
    }  # fmt: skip
    then = json.loads(jobs("list", "--limit", 1, "--cursor", told["next_cursor"], "--json"))
    assert [job["id"] for job in then["jobs"]] == [str(first)]
    lines = jobs("list", "--tier", "pro").splitlines()
    assert "test.rows" in lines[-1]
    assert "pro/ada" in lines[-1]


def test_a_job_is_shown_with_what_happened() -> None:
    job_id = put()
    assert "waiting" in jobs("show", job_id)
    told = json.loads(jobs("show", job_id, "--json"))
    assert [entry["what"] for entry in told["entries"]] == ["queued"]


def test_jobs_are_cancelled_and_retried_and_queues_paused() -> None:
    job_id = put()
    assert "is cancelled" in jobs("cancel", job_id)
    with pytest.raises(CommandError, match="was not cancelled"):
        jobs("cancel", job_id)
    assert json.loads(jobs("retry", job_id, "--json"))["ok"]
    assert seen(job_id).state == "waiting"
    assert "is paused" in jobs("pause", "free")
    assert "(paused)" in jobs("list")
    assert "goes on" in jobs("resume", "free")


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(CommandError, match="there is no job 4711"):
        jobs("show", 4711)
    with pytest.raises(CommandError, match="cursor") as refused:
        jobs("list", "--cursor", "forged")
    assert refused.value.returncode == 2
    assert not Job.objects.exists()
