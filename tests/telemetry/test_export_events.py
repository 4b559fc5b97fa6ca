"""`manage.py export_events`: whole files, harmless in a spreadsheet, unchanged for programs."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from telemetry.models import JobEvent, LlmEvent
from tests.costs.events import call, job
from tests.telemetry import commandline

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 5, 4, tzinfo=UTC)
HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "＝1",
    "a;=1+1;  -2;b",
    "=a;@b",
    'quo"ted, with comma',
    "back\\slash",
    "🦄",
    "\u202egnirts",
]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("export_events", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def exported(tmp_path: Path, *arguments: str) -> str:
    target = tmp_path / "out"
    run("-o", str(target), "--force", *arguments)
    return target.read_text()


@pytest.fixture
def llm_events() -> None:
    from tests.costs.events import store

    store(*[call(DAY + timedelta(hours=hour), user_id=name) for hour, name in enumerate(HOSTILE)])


LLM = ("--kind", "llm", "--from", "2026-05-04", "--to", "2026-05-04")


@pytest.mark.usefixtures("llm_events")
def test_csv_has_a_head_and_a_row_an_event_in_order(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(tmp_path, *LLM))))
    assert len(rows) == len(HOSTILE)
    assert rows[0]["created_at"] == "2026-05-04T00:00:00.000000Z"
    assert rows[0]["success"] == "true"
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)


@pytest.mark.usefixtures("llm_events")
def test_a_spreadsheet_calculates_nothing(tmp_path: Path) -> None:
    cells = [row["user_id"] for row in csv.DictReader(io.StringIO(exported(tmp_path, *LLM)))]
    assert cells[:5] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'＝1"]
    assert cells[5:7] == ["a;'=1+1;'  -2;b", "'=a;'@b"], "a line is split at semicolons too"
    assert cells[7:] == HOSTILE[7:]


@pytest.mark.usefixtures("llm_events")
def test_json_lines_say_exactly_what_is_stored(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in exported(tmp_path, *LLM, "--format", "jsonl").splitlines()]
    assert [line["user_id"] for line in lines] == HOSTILE
    assert lines[0]["input_tokens"] == LlmEvent.objects.order_by("created_at")[0].input_tokens
    assert lines[0]["error_code"] is None


@pytest.mark.usefixtures("llm_events")
def test_what_was_exported_can_be_imported_again(tmp_path: Path) -> None:
    target = tmp_path / "events.jsonl"
    run("-o", str(target), "--format", "jsonl", *LLM)
    before = list(LlmEvent.objects.order_by("created_at").values("user_id", "created_at", "output_tokens"))
    LlmEvent.objects.all().delete()
    call_command("import_events", str(target), "--kind", "llm", stdout=io.StringIO(), stderr=io.StringIO())
    assert (
        list(LlmEvent.objects.order_by("created_at").values("user_id", "created_at", "output_tokens"))
        == before
    )


@pytest.mark.usefixtures("llm_events")
def test_gzip_holds_the_same_bytes(tmp_path: Path) -> None:
    plain = exported(tmp_path, *LLM)
    run("-o", str(tmp_path / "out.gz"), "--gzip", *LLM)
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()).decode() == plain


def test_days_are_utc_days_with_both_ends_in(tmp_path: Path) -> None:
    from tests.costs.events import store

    edges = [
        DAY - timedelta(microseconds=1),
        DAY,
        DAY + timedelta(days=1, microseconds=-1),
        DAY + timedelta(days=1),
    ]
    store(*[job(moment, user_id=f"u{place}") for place, moment in enumerate(edges)])
    lines = exported(
        tmp_path, "--kind", "job", "--from", "2026-05-04", "--to", "2026-05-04", "--format", "jsonl"
    )
    assert [json.loads(line)["user_id"] for line in lines.splitlines()] == ["u1", "u2"]
    assert JobEvent.objects.count() == 4


def test_days_without_any_event_make_an_empty_file_with_its_head(tmp_path: Path) -> None:
    assert exported(tmp_path, "--kind", "job", "--from", "2001-01-01", "--to", "2001-12-31").startswith(
        "id,job_id,"
    )


@pytest.mark.usefixtures("llm_events")
def test_a_file_that_is_there_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("precious")
    with pytest.raises(CommandError, match="is there already") as caught:
        run("-o", str(target), *LLM)
    assert caught.value.returncode == 2
    assert target.read_text() == "precious"


@pytest.mark.usefixtures("llm_events")
def test_a_failure_leaves_no_file_that_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from telemetry.management.commands import export_events

    def fails(*args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_events, "export", fails)
    with pytest.raises(CommandError, match="No space left"):
        run("-o", str(tmp_path / "out"), *LLM)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "sms", "--from", "2026-01-01", "-o", "x"], "sms"),
        (["--kind", "llm", "--from", "2026-02-30", "-o", "x"], "no day"),
        (["--kind", "llm", "--from", "2026-02-02", "--to", "2026-02-01", "-o", "x"], "is after"),
        (["--kind", "llm", "-o", "x"], "--from"),
    ],
)
def test_a_bad_argument_is_named(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)


@pytest.mark.django_db(transaction=True)
def test_standard_output_carries_the_file_alone() -> None:
    done = commandline.run(
        "export_events", "--kind", "job", "--from", "2001-01-01", "--to", "2001-01-01", "-o", "-"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("id,job_id,job_type,")
    assert done.stdout.count("\n") == 1
