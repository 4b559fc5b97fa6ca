"""G2: an event counts once, however often its file comes back and whoever ships it."""

import random
import shutil
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.management import CommandError, call_command

from tests.faults import g02_ingested
from tests.faults.processes import Child
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

WRITERS = 8
EVENTS = {"tiny": 400, "normal": 20_000, "full": 200_000}
REPLAYS = 3
OPTIONS: Any = {
    "kind": "llm",
    "set": "tier=pro,llm_model=m,context_type=chat,output_tokens=1,success=true",
}


def try_it(size: Size) -> str:
    """Put segments back, import files again, shuffled, by many processes at once; count the events."""
    return f"{replayed(size)}; {g02_ingested.try_it(size)}"


def replayed(size: Size) -> str:
    """Do so with what the spool and imports read from files."""
    empty()
    events = EVENTS[size]
    with tempfile.TemporaryDirectory(prefix="hp-replay-") as folder:
        copies = Path(folder) / "segments"
        copies.mkdir()
        assert Child(lambda: record_and_copy(copies, events)).exit_code() == 0
        segments = sorted(copies.iterdir())
        for turn in range(REPLAYS):
            replay(segments, turn)
        assert_stored(events, "segments")
        replay_imports(Path(folder), events)
    return (
        f"{len(segments)} segments put back {REPLAYS} times under {WRITERS} names and shipped by {WRITERS}"
        f" processes at once, a file imported {REPLAYS} times: {2 * events:,} events, each stored once"
    )


def record_and_copy(copies: Path, events: int) -> None:
    """Record events, keep copies of their segments from before and after shipping, and ship them."""
    from telemetry.record import close, record_llm_event
    from telemetry.spool.folder import segments, spool_folder

    call = {"user_id": "u1", "tier": "pro", "llm_model": "m", "context_type": "chat", "output_tokens": 1}
    for number in range(1, events + 1):
        assert record_llm_event({**call, "input_tokens": number})
        if number in (events // 2, events):
            for _, entry in segments(spool_folder()):
                shutil.copy(entry.path, copies / f"at{number}.{entry.name}")
    assert close(60)


def replay(segments: list[Path], turn: int) -> None:
    """Put every copy back under several names and let many processes ship them at once."""
    from telemetry.spool.folder import made_folder

    for writer in range(WRITERS):
        for segment in segments:
            shutil.copy(
                segment, made_folder() / f"back{turn}-{writer}-{segment.stem.replace('.', '-')}.1.seg"
            )
    adopters = [Child(partial(adopt_shuffled, seed)) for seed in range(WRITERS)]
    assert [child.exit_code() for child in adopters] == [0] * WRITERS
    assert Child(lambda: adopt_shuffled(0)).exit_code() == 0
    assert not list((Path(settings.HEALTHPILOT_VAR) / "spool").glob("*.seg")), "a copy is left in the spool"


def adopt_shuffled(seed: int) -> None:
    """Ship whatever lies in the spool, in an order of this process's own."""
    from telemetry.spool import adoption

    shuffled = random.Random(seed)

    def any_order(names: Iterable[Any], **by: object) -> list[Any]:
        found = list(names)
        return shuffled.sample(found, len(found))

    with mock.patch.object(adoption, "sorted", any_order, create=True):
        adoption.adopt(lambda shipped: None, settled_s=0)


def replay_imports(folder: Path, events: int) -> None:
    """Import one file again and again, several processes at once."""
    file = folder / "calls.csv"
    lines = [f"u2,2026-01-02T03:04:05.{number:06}Z,{number}" for number in range(1, events + 1)]
    file.write_text("\n".join(["user_id,created_at,input_tokens", *lines]) + "\n")
    for _ in range(REPLAYS):
        children = [Child(lambda: import_file(file)) for _ in range(2)]
        assert [child.exit_code() for child in children] == [0] * 2
    assert_stored(events, "the file", user="u2")


def import_file(file: Path) -> None:
    """Import the file; while another process is long at it, do as the command says: wait, run it again."""
    while True:
        try:
            call_command("import_events", str(file), **OPTIONS, stdout=StringIO(), stderr=StringIO())
        except CommandError as error:
            if "being imported by another process" not in str(error):
                raise
            time.sleep(1)
        else:
            return


def assert_stored(events: int, what: str, user: str = "u1") -> None:
    """Compare what is stored of one user with the numbers recorded."""
    ((rows, numbers),) = execute(
        "SELECT count(*), count(DISTINCT input_tokens) FROM telemetry_llm_events WHERE user_id = %s", [user]
    )
    assert (rows, numbers) == (events, events), f"{what}: {rows} rows of {numbers} events, not {events}"
