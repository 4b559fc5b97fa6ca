"""G8: jobs whose workers are killed, stand still, or are killed by the job; what waits without Redis."""

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from tests.faults.processes import is_stopped, wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import execute

BATCHES = {"tiny": 4, "normal": 100, "full": 100}
LEASE_S = 1
SWEEP_S = 0.2
TAKEN_UP_WITHIN_S = 90
BACK_WITHIN_S = 60
WAITING = {"tiny": 4, "normal": 20, "full": 100}


def try_it(size: Size) -> str:
    """Kill in every batch, stop and continue, park poison, empty and stop Redis; once with real times."""
    from tests.healthpilot.dataqueue import kinds

    execute(kinds.TABLE)
    with tempfile.TemporaryDirectory(prefix="hp-marks-") as marks:
        seen = [
            killed_in_each_batch(BATCHES[size], Path(marks)),
            stopped_and_continued(Path(marks)),
            poison_is_parked(),
            redis_emptied_and_stopped(WAITING[size]),
        ]
        if size != "tiny":
            seen.append(killed_with_real_times(Path(marks)))
    return "; ".join(seen)


@contextlib.contextmanager
def workers(*, concurrency: int = 2) -> Iterator[None]:
    """Run a worker whose leases are short."""
    from tests.healthpilot.dataqueue.worker import Worker

    empty_queue()
    with Worker(concurrency=concurrency, DATAQUEUE_LEASE_S=LEASE_S):
        yield


def empty_queue() -> None:
    import redis

    execute("TRUNCATE dataqueue_jobs, dataqueue_entries, test_rows")
    redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]).flushall()


def state_of(job_id: int) -> str:
    return str(execute("SELECT state FROM dataqueue_jobs WHERE id = %s", [job_id])[0][0])


def swept_until(condition: str, job_id: int, *, limit_s: float = 90) -> None:
    """Sweep until the job's row meets a condition."""

    def met() -> bool:
        return bool(execute(f"SELECT 1 FROM dataqueue_jobs WHERE id = %s AND {condition}", [job_id]))

    swept_while(met, f"job {job_id}: {condition}", limit_s)


def swept_while(is_met: Callable[[], bool], what: str, limit_s: float) -> None:
    """Sweep often, as the shortened leases want and as beat does where it runs, until something is so.

    A message that is lost on the way is sent again by nobody else.
    """
    from healthpilot.dataqueue.sweep import sweep

    def met() -> bool:
        sweep()
        time.sleep(SWEEP_S)
        return is_met()

    wait_until(met, what, limit_s=limit_s)


def each_row_once(job_id: int, batches: int) -> None:
    found = [row[0] for row in execute("SELECT batch FROM test_rows WHERE job_id = %s ORDER BY 1", [job_id])]
    assert found == list(range(batches)), f"rows of {batches} batches: {found}"


def killed_in_each_batch(batches: int, marks: Path) -> str:
    """Kill -9 the worker in every batch, after it wrote and before it commits."""
    from tests.healthpilot.dataqueue.jobs import entries, put

    with workers(concurrency=3):
        job_id = put(payload={"batches": batches, "kill_once": True, "marks": str(marks)})
        swept_until("state = 'succeeded'", job_id, limit_s=batches * 20)
    each_row_once(job_id, batches)
    assert entries(job_id).count("taken up") == batches
    return f"{batches} kills in {batches} batches, each row once"


def stopped_and_continued(marks: Path) -> str:
    """Let the holder stand still until another has finished its job, then go on."""
    from tests.healthpilot.dataqueue.jobs import entries, put

    with workers():
        job_id = put(payload={"batches": 3, "stop_in": 1, "marks": str(marks)})
        swept_while(
            lambda: bool((marks / "stop").exists() and (marks / "stop").read_text()), "the holder", 60
        )
        stale = int((marks / "stop").read_text())
        wait_until(lambda: is_stopped(stale), "the holder to stand still")
        swept_until("state = 'succeeded'", job_id)
        before = execute("SELECT * FROM test_rows ORDER BY batch"), entries(job_id)
        os.kill(stale, signal.SIGCONT)
        time.sleep(3)
        after = execute("SELECT * FROM test_rows ORDER BY batch"), entries(job_id)
    each_row_once(job_id, 3)
    assert after == before, "the stale worker wrote"
    assert stale not in {pid for _, batch, pid in before[0] if batch != 0}
    return "a stale worker wrote nothing"


def poison_is_parked() -> str:
    """Let a job kill each worker that takes it."""
    from tests.healthpilot.dataqueue.jobs import entries, put, seen

    with workers():
        job_id = put(payload={"batches": 3, "kill_in": 1})
        swept_until("state = 'parked'", job_id)
        healthy = put(payload={"batches": 1})
        swept_while(lambda: state_of(healthy) == "succeeded", "the next job", 60)
    assert (seen(job_id).stuck, entries(job_id).count("started")) == (3, 3)
    each_row_once(job_id, 1)
    return "poison parked after 3"


def redis_emptied_and_stopped(count: int) -> str:
    """Empty Redis while jobs wait; stop it while jobs come in and wait; all run after its return."""
    import redis

    from healthpilot import embedded
    from tests.healthpilot.dataqueue.jobs import put
    from tests.healthpilot.dataqueue.worker import Worker

    empty_queue()
    before = [put(payload={"batches": 1}) for _ in range(count)]
    redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]).flushall()
    with Worker(beat=True, concurrency=2):
        wait_until(lambda: all_done(before), "jobs whose messages were lost", BACK_WITHIN_S)
        embedded.valkey.stop(settings.HOME)
        during = [put(payload={"batches": 1}) for _ in range(count)]
        time.sleep(5)
        assert not all_done(during)
        embedded.start(settings.HOME, parts=["valkey"], say=lambda line: None)
        returned = time.monotonic()
        wait_until(lambda: all_done(during), "jobs that came while Redis was stopped", BACK_WITHIN_S)
    took_s = time.monotonic() - returned
    return f"{2 * count} jobs without their messages ran, {took_s:.0f} s after Redis was back"


def all_done(job_ids: list[int]) -> bool:
    done = execute(
        "SELECT count(*) FROM dataqueue_jobs WHERE id = ANY(%s) AND state = 'succeeded'", [job_ids]
    )
    return bool(done[0][0] == len(job_ids))


def killed_with_real_times(marks: Path) -> str:
    """Kill a worker once with the lease and the tick that production has."""
    from tests.healthpilot.dataqueue.jobs import put
    from tests.healthpilot.dataqueue.worker import Worker

    empty_queue()
    (marks / "kill-0").unlink(missing_ok=True)
    with Worker(beat=True):
        job_id = put(payload={"batches": 1, "kill_once": True, "marks": str(marks)})
        wait_until((marks / "kill-0").exists, "the kill", 60)
        killed = time.monotonic()
        wait_until(lambda: state_of(job_id) == "succeeded", "the job to be taken up", TAKEN_UP_WITHIN_S)
    each_row_once(job_id, 1)
    took_s, lease_s = time.monotonic() - killed, settings.DATAQUEUE_LEASE_S
    return f"with a real lease of {lease_s} s taken up {took_s:.0f} s after the kill"
