"""A file from the upload over its mapping to stored events; what cannot be taken is refused with a reason."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from healthpilot.dataqueue import lease
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.run import run_next
from healthpilot.dataqueue.sweep import sweep
from healthpilot.imports import uploads
from healthpilot.imports.guess import guessed
from healthpilot.imports.models import Upload
from healthpilot.web.roles import Role
from telemetry.importer.plan import FIELDS
from telemetry.models import JobEvent, LlmEvent
from tests.costs.factories import make_staff, make_with_role
from tests.healthpilot.dataqueue.jobs import age, seen
from tests.telemetry.shipped import shipped

pytestmark = pytest.mark.django_db

CALLS = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
    f"2026-10-0{1 + number % 5} 10:00:{number % 60:02},{100 + number},{number}\n" for number in range(7)
)
FIXED = {
    "set-user_id": "azure",
    "set-tier": "pro",
    "set-llm_model": "gpt-4o-mini",
    "set-context_type": "chat",
}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_with_role(Role.OPERATOR))
    return client


def uploaded(client: Client, content: bytes | str, *, name: str = "calls.csv", kind: str = "llm") -> Any:
    body = content.encode() if isinstance(content, str) else content
    return client.post("/admin/import", {"file": SimpleUploadedFile(name, body), "kind": kind})


def mapping(**changes: str) -> dict[str, str]:
    """Return what the mapping form sends when the guesses are kept."""
    guesses = {"created_at": "TIMESTAMP", "input_tokens": "ContextTokens", "output_tokens": "GeneratedTokens"}
    columns = {f"map-{target}": column for target, column in guesses.items()}
    return columns | FIXED | {"set-success": "true", "timezone": "UTC", "delimiter": ","} | changes


def test_columns_are_guessed_by_their_names() -> None:
    header = ["TIMESTAMP", "ContextTokens", "GeneratedTokens", "Model Name", "user"]
    assert guessed(FIELDS["llm"], header) == {
        "created_at": "TIMESTAMP",
        "input_tokens": "ContextTokens",
        "output_tokens": "GeneratedTokens",
        "llm_model": "Model Name",
        "user_id": "user",
    }


def test_a_file_is_shown_with_its_first_rows_and_guesses(staff: Client) -> None:
    answer = uploaded(staff, CALLS)
    shown = staff.get(answer["Location"]).content.decode()
    assert "2026-10-01 10:00:00" in shown
    assert 'value="ContextTokens"' in shown
    assert not LlmEvent.objects.exists()


@pytest.mark.parametrize("pack", [lambda body: body, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.usefixtures("recording")
def test_a_file_becomes_events_and_its_refused_rows_can_be_downloaded(staff: Client, pack: Any) -> None:
    path = uploaded(staff, pack((CALLS + "2026-10-01 10:00:00,minus one,3\n").encode()))["Location"]
    job_path = staff.post(path, mapping(start="1"))["Location"]
    run_next("heavy")
    job = Job.objects.get()
    assert (job.state, job.error_message) == ("succeeded", "")
    assert job_path == f"/admin/jobs/{job.pk}"
    assert job.result
    assert job.result["rows stored"] == "7"
    assert LlmEvent.objects.count() == 7
    assert LlmEvent.objects.filter(user_id="azure", input_tokens=100).exists()
    answer = staff.get(f"{job_path}/files/refused-rows.jsonl")
    (refused,) = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert (refused["file"], refused["line"], refused["column"]) == ("calls.csv", 9, "input_tokens")
    assert shipped(JobEvent).get().job_type == "telemetry.import"


@pytest.mark.usefixtures("recording")
def test_an_import_that_was_interrupted_goes_on_and_counts_nothing_twice(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"2026-10-01 10:00:00,{number},1\n" for number in range(4500))
    path = uploaded(staff, f"TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}")["Location"]
    staff.post(path, mapping(start="1"))
    job = Job.objects.get()
    advance, calls = lease.advance, []

    def lose_the_second(claim: Any, step: Any) -> str:
        calls.append(step)
        if len(calls) == 2:
            raise lease.LeaseLostError(claim.job_id)
        return advance(claim, step)

    monkeypatch.setattr(lease, "advance", lose_the_second)
    run_next("heavy")
    assert LlmEvent.objects.count() == 2000
    age(job.pk, lease_until="1 second")
    Job.objects.update(lease_pid=None)
    sweep()
    run_next("heavy")
    assert seen(job.pk).state == "succeeded"
    assert LlmEvent.objects.count() == 4500


def test_the_mapping_can_be_tried_and_stores_nothing(staff: Client) -> None:
    path = uploaded(staff, CALLS)["Location"]
    tried = staff.post(path, mapping(**{"try": "1"})).content.decode()
    assert "7 of the first 7 rows fit" in tried
    none = staff.post(path, mapping(**{"map-input_tokens": "TIMESTAMP", "start": "1"}))
    assert none.status_code == 422
    assert "0 of the first 7 rows fit" in none.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"map-input_tokens": "NoColumn"}, "no column &#x27;NoColumn&#x27;"),
        ({"map-input_tokens": "1 /"}, "there is no division"),
        ({"set-user_id": ""}, "user_id"),
        ({"timezone": "Mars/Olympus"}, "is not known"),
        ({"set-input_tokens": "4"}, "leave one out"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_a_reason(
    staff: Client, change: dict[str, str], said: str
) -> None:
    path = uploaded(staff, CALLS)["Location"]
    answer = staff.post(path, mapping(start="1", **change))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert 'value="gpt-4o-mini"' in answer.content.decode()
    assert not Job.objects.exists()


def test_pressing_start_twice_makes_one_job(staff: Client) -> None:
    path = uploaded(staff, CALLS)["Location"]
    first, second = (staff.post(path, mapping(start="1"))["Location"] for _ in range(2))
    assert first == second
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04zip", "zip archive"),
        (b"\x00\x01\x02", "binary file"),
        (b'[{"a": 1}]', "one JSON array"),
    ],
)
def test_what_is_no_table_is_refused_and_not_kept(staff: Client, content: bytes, said: str) -> None:
    answer = uploaded(staff, content)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_file_above_the_limit_is_refused_before_it_is_read(staff: Client, settings: Any) -> None:
    settings.IMPORT_MOST_BYTES = 1 << 20
    answer = uploaded(staff, b"a,b\n" * (1 << 18) + b"1,2\n" * 20_000)
    assert answer.status_code == 413
    assert "at most 1 MiB" in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_hostile_name_stays_a_name(staff: Client) -> None:
    uploaded(staff, CALLS, name="../../<b>etc.csv")
    upload = Upload.objects.get()
    assert upload.name == "<b>etc.csv"
    assert upload.path.parent.name == "uploads"
    assert "<b>etc" not in staff.get(f"/admin/import/{upload.pk}").content.decode()


def test_uploads_are_removed_after_a_week_with_their_files(staff: Client) -> None:
    uploaded(staff, CALLS)
    path: Path = Upload.objects.get().path
    assert uploads.prune() == 0
    Upload.objects.update(created_at=timezone.now() - uploads.KEPT)
    assert uploads.prune() == 1
    assert not path.exists()


def test_viewers_may_not_import(client: Client) -> None:
    client.force_login(make_staff())
    assert client.get("/admin/import").status_code == 403
    assert uploaded(client, CALLS).status_code == 403
