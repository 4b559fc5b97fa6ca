"""What lies in the spool when its process is gone: whole, torn, damaged, or something else altogether."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from telemetry.models import LlmEvent
from telemetry.record import record_llm_event
from telemetry.spool import adoption, transfer
from telemetry.spool.adoption import adopt
from telemetry.spool.frames import HEAD, MAGIC, first_line, framed
from telemetry.spool.process import process
from telemetry.spool.state import spool_state
from telemetry.spool.transfer import Shipped
from tests.telemetry.test_record import CALL

pytestmark = pytest.mark.usefixtures("recording")

USERS = ("a", "b", "c", "d")


@pytest.fixture
def left(spool_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The segment of a process that recorded four events and was killed."""
    monkeypatch.setattr(process, "serve", lambda **options: None)
    pid = os.fork()
    if pid == 0:
        for user in USERS:
            record_llm_event({**CALL, "user_id": user})
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    (segment,) = spool_folder.glob("*.seg")
    return segment


def users() -> str:
    told: list[Shipped] = []
    adopt(told.append, settled_s=0)
    return "".join(sorted(LlmEvent.objects.values_list("user_id", flat=True)))


def frames(data: bytes) -> list[tuple[int, int]]:
    """Return where each frame of a segment begins and ends."""
    place, found = data.index(b"\n") + 1, []
    while place < len(data):
        end = place + HEAD.size + HEAD.unpack_from(data, place)[2]
        found.append((place, end))
        place = end
    return found


def test_a_torn_end_is_no_event_and_no_garbage(left: Path, spool_folder: Path) -> None:
    data = left.read_bytes()
    left.write_bytes(data[:-5])
    assert users() == "abc"
    assert not (spool_folder / "aside").exists()
    assert not left.exists()


@pytest.mark.parametrize("which", [0, 1, 3])
@pytest.mark.parametrize("offset", [0, 2, 3, 6, 20])
def test_a_damaged_event_is_set_aside_and_the_others_are_shipped(
    left: Path, spool_folder: Path, which: int, offset: int
) -> None:
    data = bytearray(left.read_bytes())
    begin, end = frames(bytes(data))[which]
    data[begin + offset] ^= 0x41
    damaged = bytes(data[begin:end])
    left.write_bytes(data)
    assert users() == "abcd".replace(USERS[which], "")
    (aside,) = (spool_folder / "aside").glob("*.bytes")
    assert aside.read_bytes() == damaged
    assert "no event can be read" in aside.with_name(f"{aside.name}.reason").read_text()
    assert not left.exists()


@contextmanager
def refusing(*names: str) -> Iterator[None]:
    """Let the database take no event of some users."""
    with connection.cursor() as cursor:
        check = f"CHECK (user_id <> ALL (ARRAY[{', '.join(map(repr, names))}])) NOT VALID"
        cursor.execute(f"ALTER TABLE telemetry_llm_events ADD CONSTRAINT refused_in_a_test {check}")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE telemetry_llm_events DROP CONSTRAINT refused_in_a_test")


def test_an_event_that_the_database_refuses_costs_itself_and_is_stored_once_it_is_put_back(
    left: Path, spool_folder: Path
) -> None:
    with refusing("b"):
        assert users() == "acd"
    (aside,) = (spool_folder / "aside").glob("refused-*.seg")
    assert "refused_in_a_test" in aside.with_name(f"{aside.name}.reason").read_text()
    assert not left.exists()
    for _ in range(2):
        (spool_folder / aside.name).write_bytes(aside.read_bytes())
        assert users() == "abcd", "however often it is put back"


def test_a_database_that_refuses_everything_does_not_fill_the_disk(
    left: Path, spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "ASIDE_MOST", 1)
    aside = spool_folder / "aside"
    aside.mkdir()
    (aside / "older.seg.reason").write_text("refused before")
    with refusing("b", "c", "d"):
        assert users() == ""
    assert left.exists()
    assert [path.name for path in aside.iterdir()] == ["older.seg.reason"]
    assert users() == "abcd", "nothing was lost, nor set aside as well as stored"


def test_what_is_no_segment_is_set_aside_with_its_reason(left: Path, spool_folder: Path) -> None:
    for number, content in enumerate((b"", b"\0" * 5000, b"HPSPOOL1 {}\n", os.urandom(9000))):
        (spool_folder / f"garbage{number}.1.seg").write_bytes(content)
    (spool_folder / "notes.txt").write_text("mine")
    (spool_folder / "folder.1.seg").mkdir()
    assert users() == "abcd"
    reasons = list((spool_folder / "aside").glob("garbage*.reason"))
    assert len(reasons) == 4
    assert all(path.read_text().startswith("it") for path in map(Path, reasons))
    assert (spool_folder / "notes.txt").read_text() == "mine"


def test_a_file_that_is_still_being_put_back_is_left_for_later(left: Path, spool_folder: Path) -> None:
    (spool_folder / "restored.1.seg").write_bytes(left.read_bytes())
    left.unlink()
    adopt(lambda shipped: None, settled_s=60)
    assert not LlmEvent.objects.exists()
    assert users() == "abcd"


@pytest.mark.parametrize("name", ["../../escaped", "a/b", "a\0b", "n" * 121])
def test_a_segment_whose_name_is_no_name_is_set_aside(spool_folder: Path, left: Path, name: str) -> None:
    (spool_folder / "0.1.seg").write_bytes(first_line(name) + b"garbage" * 20)
    assert users() == "abcd"
    assert "first line cannot be used" in (spool_folder / "aside/0.1.seg.reason").read_text()
    assert [path for path in spool_folder.parent.rglob("*") if "escaped" in path.name] == []


def test_a_segment_with_events_that_its_first_line_does_not_name_is_set_aside(
    spool_folder: Path, left: Path
) -> None:
    line = MAGIC + json.dumps({"segment": "0.1", "columns": {}}).encode() + b"\n"
    (spool_folder / "0.1.seg").write_bytes(line + framed(2, b"an event"))
    assert users() == "abcd"
    assert "names no columns of llm events" in (spool_folder / "aside/0.1.seg.reason").read_text()


def test_files_of_one_process_that_cannot_be_taken_do_not_stand_before_the_others(
    spool_folder: Path, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (spool_folder / "0.1.seg").write_bytes(first_line("0.1"))
    ship = adoption.ship_orphan

    def fail_at_first(path: Path, *rest: Any) -> bool:
        if path.name == "0.1.seg":
            raise ValueError("something nobody thought of")
        return ship(path, *rest)

    monkeypatch.setattr(adoption, "ship_orphan", fail_at_first)
    assert users() == "abcd"
    assert (spool_folder / "0.1.seg").exists()


def test_a_segment_of_another_version_waits_for_a_process_of_that_version(
    spool_folder: Path, left: Path
) -> None:
    data = left.read_bytes()
    left.write_bytes(data.replace(b'["created_at", "timestamptz"]', b'["created_on", "timestamptz"]'))
    assert users() == ""
    assert left.exists()
    os.utime(left, (time.time() - 90, time.time() - 90))
    assert spool_state().is_fine is False
    left.write_bytes(data)
    assert users() == "abcd"
