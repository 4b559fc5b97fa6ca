"""Kinds of jobs for tests: they write numbered rows, fail, stand still or kill their worker when told to."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from healthpilot.dataqueue.kinds import Payload, job_kind, registered
from healthpilot.dataqueue.work import JobRefusedError, Step, Work

TABLE = "CREATE TABLE IF NOT EXISTS test_rows (job_id bigint NOT NULL, batch int NOT NULL, pid int NOT NULL)"


class Rows(Payload):
    """How many batches to write, and what goes wrong on the way.

    Attributes:
        kill_once: in each batch the worker is killed after its writing, the first time round.
        kill_in: the batch in which the worker is killed whenever it comes there, none below 0.
        stop_in: the batch in which the worker stands still the first time, before it would commit.
        fail_in: the batch that raises, always; refuse_in: the batch that says it can never be done.
        marks: folder for the marks that say what has gone wrong already.
        pause_s: how long each batch takes.
    """

    batches: int = 3
    kill_once: bool = False
    kill_in: int = -1
    stop_in: int = -1
    fail_in: int = -1
    refuse_in: int = -1
    marks: str = ""
    pause_s: float = 0
    api_key: str = ""


def write_rows(work: Work, asked: Rows) -> Iterator[Step]:
    """Write one row a batch."""
    for batch in range(work.checkpoint["next"] if work.checkpoint else 0, asked.batches):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO test_rows VALUES (%s, %s, %s)", [work.id, batch, os.getpid()])
        time.sleep(asked.pause_s)
        go_wrong(batch, asked)
        yield Step(done=batch + 1, total=asked.batches, checkpoint={"next": batch + 1}, unit="batches")
    work.result["batches"] = asked.batches


def go_wrong(batch: int, asked: Rows) -> None:
    """Do in this batch what was asked for."""
    if batch == asked.fail_in:
        raise ValueError("no good: postgresql://reader:geheim@db/x")
    if batch == asked.refuse_in:
        raise JobRefusedError("there is nothing to write: give batches")
    if batch == asked.kill_in or (asked.kill_once and first_time(asked, f"kill-{batch}")):
        os.kill(os.getpid(), signal.SIGKILL)
    if batch == asked.stop_in and first_time(asked, "stop"):
        os.kill(os.getpid(), signal.SIGSTOP)


def first_time(asked: Rows, name: str) -> bool:
    """Say whether this is the first time, and remember it outside the database."""
    path = Path(asked.marks) / name
    if path.exists():
        return False
    path.write_text(str(os.getpid()))
    return True


class Counted:
    """The same as an object of plan and batch."""

    def __init__(self, work: Work, asked: Rows) -> None:
        self.work, self.asked = work, asked

    def plan(self) -> Step:
        """Begin at the first batch."""
        return Step(done=0, total=self.asked.batches, checkpoint=0)

    def batch(self, checkpoint: int) -> Step | None:
        """Write one row."""
        if checkpoint == self.asked.batches:
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO test_rows VALUES (%s, %s, %s)", [self.work.id, checkpoint, os.getpid()]
            )
        return Step(done=checkpoint + 1, total=self.asked.batches, checkpoint=checkpoint + 1)


if "test.rows" not in registered:
    job_kind("test.rows", payload=Rows, asks=True, estimate=lambda asked: {"cpu_ms": 10 * asked.batches})(
        write_rows
    )
    job_kind("test.heavy", payload=Rows, queue="heavy")(write_rows)
    job_kind("test.once", payload=Rows, idempotent=False)(write_rows)
    job_kind("test.counted", payload=Rows)(Counted)
