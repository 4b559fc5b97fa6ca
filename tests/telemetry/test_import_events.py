"""The command import_events, as an operator types it."""

import json
import os
import random
import signal
import time
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Max, Min, Sum

from telemetry.models import Import, JobEvent, LlmEvent
from tests.telemetry import commandline
from tests.telemetry.importer.conftest import LLM_SET, llm_csv

CONVERSATION_MAP = "created_at=TIMESTAMP,input_tokens=ContextTokens,output_tokens=GeneratedTokens"
CONVERSATION_SET = "user_id=azure-conv,tier=pro,llm_model=gpt-4o-mini,context_type=conversation,success=true"
BATCH_MAP = (
    "job_type=queue,queued_at=unix(submit_unix),started_at=unix(submit_unix+wait_s),"
    "finished_at=unix(submit_unix+wait_s+run_s),cpu_ms=s(run_s*procs),success=is(status,1)"
)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(llm_csv(20) + "2024-05-01T10:00:00Z,u1,-1,7\n")
    return path


def import_events(path: Path | str, *options: str, kind: str = "llm") -> str:
    written = StringIO()
    call_command("import_events", str(path), "--kind", kind, *options, stdout=written, stderr=StringIO())
    return written.getvalue()


def outcome_of(path: Path | str, *options: str, kind: str = "llm") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(import_events(path, *options, "--json", kind=kind))
    return found


@pytest.mark.django_db
def test_it_says_what_it_did_and_what_to_run_next(csv_file: Path) -> None:
    said = import_events(csv_file, "--set", LLM_SET)
    assert "Mapping: user_id=user_id, input_tokens=input_tokens" in said
    assert "21 rows read, 20 stored, 1 refused" in said
    assert "1 × input_tokens is -1, the least is 0 (first: line 22)" in said
    assert "Refused rows: " in said
    assert "Next: ./run manage rollup_costs --from 2024-05-01 --to 2024-05-01" in said
    assert "Already imported on 2" in (again := import_events(csv_file, "--set", LLM_SET))
    assert ": 20 events. Nothing was added." in again


@pytest.mark.django_db
def test_json_is_one_object_and_nothing_else(csv_file: Path) -> None:
    found = outcome_of(csv_file, "--set", LLM_SET)
    assert (found["status"], found["read"], found["stored"], found["rejected"]) == ("imported", 21, 20, 1)
    assert found["reasons"] == [{"reason": "input_tokens is -1, the least is 0", "rows": 1, "first_line": 22}]
    assert found["first_created_at"] == "2024-05-01T00:00:00Z"
    assert Path(found["rejects"]).exists()


@pytest.mark.django_db
def test_the_days_to_roll_up_are_days_of_the_cost_time_zone(csv_file: Path, settings: Any) -> None:
    settings.COST_TIMEZONE = "America/New_York"
    assert "--from 2024-04-30 --to 2024-04-30" in import_events(csv_file, "--set", LLM_SET)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--map", "a=b/c"], "--map, position 4: there is no division"),
        (["--map", "nope=user_id"], "llm events have no column 'nope'"),
        (["--set", "tier"], "--set, position 1"),
        (["--set", "tier=pro"], "llm_model is missing"),
        (["--set", LLM_SET, "--timezone", "Mars/Base"], "--timezone 'Mars/Base' is not known"),
        (["--set", LLM_SET, "--timezone", "../../etc/passwd"], "is not known"),
        (["--set", LLM_SET, "--timezone", ""], "is not known"),
        (["--set", LLM_SET, "--batch", "0"], "--batch 0"),
        (["--set", LLM_SET, "--max-rejects", "-1"], "--max-rejects -1"),
        (["--set", LLM_SET, "--delimiter", ";;"], "--delimiter ';;'"),
        (["--set", LLM_SET, "--rejects", "."], "is a directory"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(csv_file: Path, options: list[str], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        import_events(csv_file, *options)
    assert caught.value.returncode == 2
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_exit_code_2(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        import_events(tmp_path / "none.csv")
    assert caught.value.returncode == 2


@pytest.mark.django_db
def test_too_many_refused_rows_are_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("created_at,user_id,input_tokens,output_tokens\n" + "x,u,1,1\n" * 9)
    with pytest.raises(CommandError, match="stopped: more than 3 rows were refused") as caught:
        import_events(path, "--set", LLM_SET, "--max-rejects", "3")
    assert caught.value.returncode == 1


@pytest.mark.django_db
def test_without_tables_it_says_which_command_makes_them(csv_file: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE telemetry_imports RENAME TO telemetry_imports_gone")
    with pytest.raises(CommandError, match=r"run ./run manage migrate") as caught:
        import_events(csv_file, "--set", LLM_SET)
    assert caught.value.returncode == 1


def test_the_help_explains_the_language_and_gives_examples() -> None:
    done = commandline.run("import_events", "--help")
    for word in (
        "unix(x)",
        "is(column,1,'ok')",
        "ContextTokens",
        "cached_input_tokens",
        "submit_unix+wait_s",
        "cpu_ms (whole",
    ):
        assert word in done.stdout


@pytest.mark.django_db(transaction=True)
def test_it_reads_standard_input_and_tells_exit_codes(csv_file: Path) -> None:
    done = commandline.run(
        "import_events", "-", "--kind", "llm", "--set", LLM_SET, stdin=csv_file.read_text()
    )
    assert (done.returncode, LlmEvent.objects.count()) == (0, 20), done.stderr
    done = commandline.run("import_events", str(csv_file), "--kind", "llm", "--map", "x")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killed_at_random_points_and_run_again_it_equals_one_clean_run(tmp_path: Path) -> None:
    chance = random.Random(20240501)
    rows = llm_csv(20_000).splitlines()
    for number in range(1, 20_000, 97):
        rows[number] += ",one too many"
    path, rejects = tmp_path / "events.csv", tmp_path / "rejects.jsonl"
    path.write_text("\n".join(rows))
    arguments = [
        "import_events",
        str(path),
        "--kind",
        "llm",
        "--set",
        LLM_SET,
        "--batch",
        "500",
        "--rejects",
        str(rejects),
    ]
    kills = 0
    for _ in range(40):
        process = commandline.start(*arguments)
        before = progress()
        deadline = time.monotonic() + 60
        while process.poll() is None and progress() == before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.25))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        _, errors = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), errors
        if process.returncode == 0:
            break
    assert kills >= 2
    bad = range(1, 20_000, 97)
    expected = sorted(set(range(20_000)) - {number - 1 for number in bad})
    assert sorted(LlmEvent.objects.values_list("input_tokens", flat=True)) == expected
    lines = [json.loads(line)["line"] for line in rejects.read_text().splitlines()]
    assert lines == [number + 1 for number in bad]
    row = Import.objects.get()
    assert row.finished_at
    assert (row.accepted, row.rejected, row.offset_bytes) == (len(expected), len(bad), path.stat().st_size)


def progress() -> int:
    return Import.objects.values_list("offset_bytes", flat=True).first() or 0


@pytest.fixture
def realdata() -> Path:
    """The folder of the real traces, which are not part of the project."""
    folder = Path(os.environ.get("HEALTHPILOT_REALDATA") or commandline.ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(
            f"the real traces were not tried: {folder} is absent (HEALTHPILOT_REALDATA names their folder)"
        )
    return folder


@pytest.mark.realdata
@pytest.mark.django_db
def test_the_conversation_trace_is_stored_to_the_last_token(realdata: Path) -> None:
    path = realdata / "azure-llm-2023" / "AzureLLMInferenceTrace_conv.csv"
    options = ("--map", CONVERSATION_MAP, "--set", CONVERSATION_SET, "--timezone", "UTC")
    found = outcome_of(path, *options)
    assert (found["read"], found["stored"], found["rejected"]) == (19_366, 19_366, 0)
    sums = LlmEvent.objects.aggregate(
        Sum("input_tokens"), Sum("output_tokens"), Min("created_at"), Max("created_at")
    )
    assert (sums["input_tokens__sum"], sums["output_tokens__sum"]) == (22_361_870, 4_088_665)
    assert sums["created_at__min"].isoformat() == "2023-11-16T18:15:46.680590+00:00"
    assert sums["created_at__max"].isoformat() == "2023-11-16T19:14:08.402527+00:00"
    assert outcome_of(path, *options)["status"] == "already imported"
    assert LlmEvent.objects.count() == 19_366


@pytest.mark.realdata
@pytest.mark.django_db
def test_every_recorded_provider_call_is_stored_truly_or_listed(realdata: Path) -> None:
    path = realdata / "llm-calls" / "llm_calls.csv"
    found = outcome_of(path, "--map", "user_id=suite,cached_input_tokens=cached_tokens", "--set", "tier=pro")
    assert (found["read"], found["stored"], found["rejected"]) == (816, 813, 3)
    assert found["reasons"][0]["reason"] == "llm_model is 115 characters long, the most is 40"
    sums = LlmEvent.objects.aggregate(Sum("input_tokens"), Sum("cached_input_tokens"), Sum("output_tokens"))
    assert list(sums.values()) == [387_395, 122_181, 56_338]
    assert LlmEvent.objects.filter(success=False).count() == 20
    assert LlmEvent.objects.filter(duration_ms=None).count() == 309


@pytest.mark.realdata
@pytest.mark.django_db
def test_every_batch_job_is_stored_with_its_weeks_of_waiting(realdata: Path) -> None:
    path = realdata / "batch-jobs" / "january_2013.csv"
    found = outcome_of(path, "--map", BATCH_MAP, "--set", "tier=free,domain=batch", kind="job")
    assert (found["read"], found["stored"], found["rejected"]) == (3_745, 3_745, 0)
    sums = JobEvent.objects.aggregate(Sum("cpu_ms"), Max("queue_wait_ms"), Max("duration_ms"))
    assert list(sums.values()) == [3_354_141_776_000, 3_650_805_000, 5_356_972_000]
    assert Counter(JobEvent.objects.values_list("success", flat=True)) == {True: 3_745}


@pytest.mark.django_db
def test_columns_that_nothing_takes_are_named_before_the_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text("created_at,user_id,input_tokens,output_tokens,zzz\n2024-05-01T10:00:00Z,u1,1,2,3\n")
    assert "Not used: zzz\n" in import_events(path, "--set", LLM_SET)
    again = tmp_path / "exact.csv"
    again.write_text("created_at,user_id,input_tokens,output_tokens\n2024-05-01T10:00:00Z,u1,1,2\n")
    assert "Not used" not in import_events(again, "--set", LLM_SET)
