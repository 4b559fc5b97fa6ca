"""GET /api/jobs/<id>: 202 while it goes on, 200 when it has ended, secrets left out."""

import pytest
from django.test import Client
from django.utils import timezone

from healthpilot.dataqueue.models import Job
from tests.costs.factories import make_staff, make_visitor
from tests.healthpilot.dataqueue.jobs import put

pytestmark = pytest.mark.django_db


def test_a_job_is_told_as_json_until_it_has_ended(client: Client) -> None:
    client.force_login(make_staff())
    job_id = put(payload={"api_key": "sk-very-secret"})
    Job.objects.update(state="running", done=1, total=3, unit="batches")
    going = client.get(f"/api/jobs/{job_id}")
    assert (going.status_code, going["Retry-After"], going["Cache-Control"]) == (202, "2", "no-store")
    body = going.json()
    assert (body["id"], body["state"], body["is_finished"]) == (str(job_id), "running", False)
    assert body["progress"] == {"done": 1, "total": 3, "unit": "batches", "percent": 33, "message": ""}
    assert body["payload"]["api_key"] == "•••"
    files = [{"name": "rows.csv", "about": ""}]
    Job.objects.update(state="succeeded", finished_at=timezone.now(), result={"rows": 3, "files": files})
    ended = client.get(f"/api/jobs/{job_id}")
    assert ended.status_code == 200
    assert ended.json()["result"] == {"rows": 3}
    assert ended.json()["files"] == [], "the file is not there"


def test_only_staff_are_told(client: Client) -> None:
    job_id = put()
    assert client.get(f"/api/jobs/{job_id}").status_code == 401
    client.force_login(make_visitor())
    assert client.get(f"/api/jobs/{job_id}").status_code == 403
