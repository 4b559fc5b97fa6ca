"""Whole imports: what is stored, what is refused, and that nothing counts twice."""

import gzip
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from telemetry import ship
from telemetry.importer import ledger, reading
from telemetry.importer.errors import ImportFailedError, ImportRefusedError
from telemetry.importer.outcome import Outcome
from telemetry.importer.run import Importation
from telemetry.importer.sources import measure
from telemetry.models import Import, JobEvent, LlmEvent
from tests.telemetry.importer.conftest import LLM_SET, Bring, llm_csv, request_for, silent

pytestmark = pytest.mark.django_db

HEADER = "created_at,user_id,input_tokens,output_tokens\n"
GOOD = "2024-05-01T10:00:00Z,u1,5,7\n"


def rejects_of(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.rejects
    return [json.loads(line) for line in outcome.rejects.read_text().splitlines()]


def test_rows_are_stored_as_the_file_says(bring: Bring) -> None:
    outcome = bring(
        "when;who;in;out\n2024-05-01 12:00:00.1234567;u1;5;7\n",
        map="created_at=when,user_id=who,input_tokens=in*2,output_tokens=out",
        delimiter=";",
        timezone="Europe/Prague",
    )
    assert (outcome.read, outcome.stored, outcome.rejected) == (1, 1, 0)
    event = LlmEvent.objects.get()
    assert (event.user_id, event.input_tokens, event.output_tokens, event.llm_model) == ("u1", 10, 7, "m")
    assert event.created_at == datetime(2024, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert (outcome.first_created_at, outcome.last_created_at) == (event.created_at, event.created_at)


def test_jobs_get_their_times_from_seconds_since_1970(bring: Bring) -> None:
    bring(
        "job_id,user_id,submit,wait,run,procs,status\n1,101,1356996695,71,1164297,12,1\n2,62,1356998549,0,5,64,0\n",
        kind="job",
        map="queued_at=unix(submit),started_at=unix(submit+wait),finished_at=unix(submit+wait+run),"
        "cpu_ms=s(run*procs),success=is(status,1)",
        set="tier=free,job_type=q,domain=batch",
    )
    first, second = JobEvent.objects.order_by("job_id")
    assert (first.queue_wait_ms, first.duration_ms, first.cpu_ms) == (71_000, 1_164_297_000, 13_971_564_000)
    assert first.created_at == first.finished_at == datetime(2013, 1, 14, 10, 57, 43, tzinfo=UTC)
    assert (first.success, second.success) == (True, False)


def test_columns_that_nothing_mentions_are_taken_by_their_own_name(bring: Bring) -> None:
    bring(HEADER.strip() + ",duration_ms,unheard_of\n2024-05-01T10:00:00Z,u1,5,7,,x\n")
    assert LlmEvent.objects.get().duration_ms is None


def test_json_lines_fill_columns_from_nested_objects(bring: Bring) -> None:
    lines = [
        {
            "created_at": "2024-05-01T10:00:00Z",
            "user_id": 62,
            "usage": {"in": 5, "out": 7.0},
            "cache_hit": False,
        },
        {"created_at": "2024-05-01T10:00:00Z", "user_id": None, "usage": {"in": 5, "out": 7}},
        {"created_at": "2024-05-01T10:00:00Z", "user_id": ["a"], "usage": {"in": 5, "out": 7}},
    ]
    outcome = bring(
        "\n".join(map(json.dumps, lines)), name="log", map="input_tokens=usage.in,output_tokens=usage.out"
    )
    assert LlmEvent.objects.get().user_id == "62"
    assert [(found["line"], found["reason"]) for found in rejects_of(outcome)] == [
        (2, "user_id is missing, an event must have it"),
        (3, "user_id is a list, give it as text"),
    ]


BAD_ROWS = [
    ("2024-05-01T10:00:00Z," + "u" * 41 + ",5,7", "user_id", "user_id is 41 characters long"),
    ("2024-05-01T10:00:00Z,,5,7", "user_id", "user_id is missing"),
    ("2024-05-01T10:00:00Z,u\x001,5,7", "user_id", "control character U+0000"),
    ("2024-05-01T10:00:00Z,u1,-5,7", "input_tokens", "input_tokens is -5"),
    ("2024-05-01T10:00:00Z,u1,99999999999,7", "input_tokens", "input_tokens is 99999999999"),
    ("2024-05-01T10:00:00Z,u1,12.5,7", "input_tokens", "input_tokens is '12.5', not a whole number"),
    ("2024-05-01T10:00:00Z,u1,١٢,7", "input_tokens", "not a number"),
    ("2024-05-01T10:00:00Z,u1,5,", "output_tokens", "output_tokens is missing"),
    ("2999-05-01T10:00:00Z,u1,5,7", "created_at", "created_at is a future time"),
    ("1999-05-01T10:00:00Z,u1,5,7", "created_at", "the earliest is 2000"),
    ("2024-05-01 10:00:00,u1,5,7", "created_at", "without a time zone: state it with --timezone"),
    ("1714557600,u1,5,7", "created_at", "write unix(column)"),
    ("2024-05-01T10:00:00Z,u1,5", "", "3 fields where the header has 4"),
    ('2024-05-01T10:00:00Z,"u1,5,7', "", "',' expected after"),
]


def test_every_bad_row_is_listed_with_its_line_column_and_reason_and_the_rest_goes_on(bring: Bring) -> None:
    content = HEADER + "".join(f"{row}\n{GOOD}" for row, _, _ in BAD_ROWS) + '2024-05-01T10:00:00Z,"u1",5,7\n'
    outcome = bring(content)
    assert (outcome.read, outcome.rejected) == (2 * len(BAD_ROWS) + 1, len(BAD_ROWS))
    assert LlmEvent.objects.count() == outcome.stored == len(BAD_ROWS) + 1
    for number, (found, (row, column, reason)) in enumerate(zip(rejects_of(outcome), BAD_ROWS, strict=True)):
        assert (found["line"], found["column"], found["row"]) == (2 * number + 2, column, row)
        assert reason in found["reason"]
        assert found["file"].endswith("events.csv")


def test_the_most_frequent_reasons_are_counted_whatever_their_values(bring: Bring) -> None:
    rows = [f"2024-05-01T10:00:00Z,u1,{-number},7\n" for number in range(1, 6)] + ["x,u1,1,1\n"]
    outcome = bring(HEADER + "".join(rows))
    assert [(why.rows, why.first_line) for why in outcome.reasons] == [(5, 2), (1, 7)]
    assert outcome.reasons[0].reason.startswith("input_tokens is -1")


def test_the_same_file_again_adds_nothing_whatever_its_name(bring: Bring) -> None:
    content = llm_csv(50)
    assert bring(content).status == "imported"
    again = bring(content, name="copy.csv")
    assert (again.status, again.read, again.earlier_stored) == ("already imported", 0, 50)
    assert again.finished_at
    assert LlmEvent.objects.count() == 50


def test_the_same_content_compressed_adds_nothing(bring: Bring) -> None:
    content = llm_csv(50)
    bring(gzip.compress(content.encode()), name="events.csv")
    assert bring(content, name="plain.csv").status == "already imported"
    assert LlmEvent.objects.count() == 50


def test_a_mapping_written_otherwise_is_the_same_mapping(bring: Bring) -> None:
    content = llm_csv(5)
    bring(content, map="input_tokens=input_tokens+1")
    assert bring(content, map=' input_tokens = "input_tokens" + 1 ').status == "already imported"


def test_the_same_content_under_another_mapping_is_stored_with_a_warning(bring: Bring) -> None:
    content = llm_csv(5)
    bring(content)
    outcome = bring(content, set=LLM_SET.replace("tier=pro", "tier=free"))
    assert outcome.stored == 5
    assert "under another mapping" in outcome.warning


def test_a_file_of_which_nothing_could_be_stored_is_read_again(bring: Bring) -> None:
    content = HEADER + "2024-05-01 10:00:00,u1,5,7\n" * 3
    for _ in range(2):
        outcome = bring(content)
        assert (outcome.stored, outcome.rejected) == (0, 3)
        assert len(rejects_of(outcome)) == 3
    assert Import.objects.count() == 1


def test_of_a_file_that_has_grown_only_the_new_lines_are_read(bring: Bring) -> None:
    bring(llm_csv(30))
    outcome = bring(llm_csv(75))
    assert (outcome.status, outcome.read, outcome.stored, outcome.earlier_stored) == ("continued", 45, 45, 30)
    tokens = LlmEvent.objects.order_by("input_tokens").values_list("input_tokens", flat=True)
    assert list(tokens) == list(range(75))
    assert bring(llm_csv(75)).status == "already imported"


def test_a_grown_file_whose_last_line_had_no_end_goes_on_behind_it(bring: Bring) -> None:
    bring(llm_csv(30).rstrip("\n"))
    outcome = bring(llm_csv(31) + "x\n")
    assert (outcome.stored, outcome.rejected) == (1, 1)
    assert rejects_of(outcome)[0]["line"] == 33


def test_a_last_line_that_was_imported_before_it_was_complete_is_listed(bring: Bring) -> None:
    bring(HEADER + GOOD + "2024-05-01T10:00:00Z,u1,5,1")
    outcome = bring(HEADER + GOOD + "2024-05-01T10:00:00Z,u1,5,17\n" + GOOD)
    assert (outcome.stored, outcome.rejected) == (1, 1)
    assert (rejects_of(outcome)[0]["line"], rejects_of(outcome)[0]["row"]) == (3, "7")
    assert "before it was complete" in rejects_of(outcome)[0]["reason"]
    assert LlmEvent.objects.count() == 3


def test_a_file_that_only_begins_alike_is_read_whole(bring: Bring) -> None:
    bring(llm_csv(30))
    assert bring(llm_csv(29) + GOOD * 5).stored == 34


class UnpluggedError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def unplugging(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Let an import die when it stores the batch of that number, its rejects written and its rows not."""
    plan = {"at": 10**9, "batch": 0}

    def dying(kind: str, rows: Any) -> int:
        plan["batch"] += 1
        if plan["batch"] == plan["at"]:
            raise UnpluggedError
        return ship.ship(kind, rows)

    monkeypatch.setattr(reading, "ship", dying)
    return plan


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_import_that_died_goes_on_where_it_was_and_lists_no_row_twice(
    bring: Bring, unplugging: dict[str, int], pack: Callable[[bytes], bytes]
) -> None:
    rows = llm_csv(40).splitlines()
    for number in range(4, 44, 4):
        rows.insert(number, f"bad {number}")
    content = pack("\n".join(rows).encode())
    unplugging["at"] = 4
    with pytest.raises(UnpluggedError):
        bring(content, batch_rows=7)
    assert LlmEvent.objects.count() < 21
    outcome = bring(content, batch_rows=7)
    assert outcome.status == "resumed"
    assert (outcome.earlier_stored + outcome.stored, outcome.earlier_rejected + outcome.rejected) == (40, 10)
    assert sorted(LlmEvent.objects.values_list("input_tokens", flat=True)) == list(range(40))
    assert [found["line"] for found in rejects_of(outcome)] == list(range(5, 45, 4))


def test_a_grown_file_goes_on_behind_an_import_that_died(bring: Bring, unplugging: dict[str, int]) -> None:
    unplugging["at"] = 3
    with pytest.raises(UnpluggedError):
        bring(llm_csv(40), batch_rows=10)
    bring(llm_csv(60), batch_rows=10)
    assert sorted(LlmEvent.objects.values_list("input_tokens", flat=True)) == list(range(60))


def test_a_lock_that_the_database_gave_up_waiting_for_is_tried_again(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def reluctant(kind: str, rows: Any) -> int:
        tried.append(len(rows))
        if len(tried) < 3:
            raise OperationalError("canceling statement due to lock timeout")
        return ship.ship(kind, rows)

    monkeypatch.setattr(reading, "ship", reluctant)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert bring(llm_csv(5)).stored == 5
    assert tried == [5, 5, 5]


def test_an_import_moved_on_by_another_process_stores_nothing_more(bring: Bring, tmp_path: Path) -> None:
    bring(llm_csv(5))
    row = Import.objects.get()
    row.offset_bytes -= 1
    with pytest.raises(ImportFailedError, match="another process moved this import on"):
        ledger.advance(row, ledger.Progress(10, 1, 1, 0))


def test_a_rehearsal_stores_nothing_and_lists_what_would_be_refused(bring: Bring) -> None:
    outcome = bring(HEADER + GOOD + "x,u1,5,7\n", dry_run=True)
    assert (outcome.status, outcome.read, outcome.stored, outcome.rejected) == ("dry run", 2, 1, 1)
    assert len(rejects_of(outcome)) == 1
    assert not LlmEvent.objects.exists()
    assert not Import.objects.exists()


def test_too_many_refused_rows_stop_the_import_and_a_higher_limit_lets_it_go_on(bring: Bring) -> None:
    content = HEADER + "x,u1,5,7\n" * 10 + GOOD * 10
    assert bring(content, max_rejects=3, batch_rows=5).status == "stopped"
    outcome = bring(content, max_rejects=10, batch_rows=5)
    assert (outcome.status, outcome.stored, outcome.earlier_rejected + outcome.rejected) == (
        "resumed",
        10,
        10,
    )


def test_rejects_go_to_the_file_named_and_never_over_another(bring: Bring, tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.jsonl", tmp_path / "other.txt"
    other.write_text("precious\n")
    content = HEADER + "x,u1,5,7\n" + GOOD
    with pytest.raises(ImportRefusedError, match="exists already"):
        bring(content, rejects=other)
    assert other.read_text() == "precious\n"
    assert bring(content, rejects=mine).rejects == mine
    assert len(mine.read_text().splitlines()) == 1


def test_an_import_under_way_elsewhere_is_told_of(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LOCK_PATIENCE_S", 0.2)
    path = tmp_path / "events.csv"
    path.write_text(llm_csv(5))
    with Importation(request_for(path, tmp_path)) as importation:
        content = measure(importation.source, marks=[], report=lambda done: None)
        key = ledger.Key("llm", content.sha256, importation.plan.sha256)
    with connection.copy().cursor() as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock(%s)", [key.lock])
        with pytest.raises(ImportFailedError, match="being imported by another process"):
            bring(llm_csv(5))
        elsewhere.connection.close()
    assert bring(llm_csv(5)).stored == 5


def test_a_file_that_is_only_a_header_imports_nothing(bring: Bring) -> None:
    outcome = bring(HEADER)
    assert (outcome.status, outcome.read) == ("imported", 0)


def test_rows_of_many_years_find_their_partitions(bring: Bring) -> None:
    days = [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(days=37 * number) for number in range(60)]
    rows = "".join(f"{day.isoformat()},u1,5,7\n" for day in days)
    assert bring(HEADER + rows).stored == 60


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty", b"", "is empty"),
        ("zip", b"PK\x03\x04rest", "zip archive"),
        ("png", b"\x89PNG\r\n\x1a\n\x00", "not text in UTF-8"),
        ("binary", b"\x00\x01\x02\x03", "binary file"),
        ("utf16", "a,b\n".encode("utf-16"), "UTF-16"),
        ("gzip", gzip.compress(b"a,b\n" * 100, mtime=0)[:20], "broken gzip data"),
        ("array", b'[{"a": 1}]', "one JSON array"),
        ("semicolons", b"created_at;user_id\n", "is --delimiter ';' meant"),
        ("header", b'"created_at,user_id\n1,2\n', "header in line 1 cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    bring: Bring, name: str, content: bytes, said: str
) -> None:
    options = {"layout": "jsonl"} if name == "array" else {}
    with pytest.raises(ImportRefusedError, match=said) as caught:
        bring(content, name=name, **options)
    assert "\n" not in str(caught.value)


def test_gzip_data_that_breaks_off_further_on_imports_nothing(bring: Bring) -> None:
    whole = gzip.compress(llm_csv(40_000).encode())
    with pytest.raises(ImportFailedError, match="nothing was imported"):
        bring(whole[:-100])
    assert not LlmEvent.objects.exists()


def test_a_missing_file_a_directory_and_a_device_are_refused(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "is a directory"),
        (Path("/dev/null"), "regular"),
    ):
        with pytest.raises(ImportRefusedError, match=said):
            Importation(request_for(path, tmp_path))


def test_standard_input_is_kept_only_as_long_as_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "piped"
    path.write_bytes(gzip.compress(llm_csv(9).encode()))
    with path.open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        with Importation(request_for("-", tmp_path)) as importation:
            assert importation.run(silent).stored == 9
    assert [entry.name for entry in (tmp_path / "var").iterdir()] == []


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=[llm_csv(9)])
    writer.start()
    with Importation(request_for(path, tmp_path)) as importation:
        assert importation.run(silent).stored == 9
    writer.join()


def test_standard_input_larger_than_its_room_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "piped"
    path.write_text(llm_csv(9))
    monkeypatch.setattr("telemetry.importer.sources.MAX_STDIN_BYTES", 100)
    with path.open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        with pytest.raises(ImportRefusedError, match="standard input is larger than"):
            Importation(request_for("-", tmp_path))
