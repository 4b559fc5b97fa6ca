"""What people do to jobs: at once where nothing runs, between batches where it does, and never twice."""

import pytest

from healthpilot.dataqueue import actions
from healthpilot.dataqueue.claim import next_job
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.run import Run
from tests.healthpilot.dataqueue.jobs import batches, entries, put, run_all, seen

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("state", ["waiting", "deferred", "failed", "parked"])
def test_a_job_that_does_not_run_is_cancelled_at_once_and_once(state: str) -> None:
    job_id = put()
    Job.objects.update(state=state)
    assert actions.cancel(job_id, actor="maren").ok
    again = actions.cancel(job_id, actor="jo")
    assert (again.ok, again.said) == (False, f"Job {job_id} is cancelled now and was not cancelled.")
    assert entries(job_id) == ["queued", "cancelled"]
    assert run_all() == []


@pytest.mark.usefixtures("rows_table")
@committed
def test_a_running_job_stops_after_its_batch_and_keeps_what_it_did() -> None:
    job_id = put(payload={"batches": 3})
    taken = next_job("free", owner="worker")
    assert taken
    assert actions.cancel(job_id, actor="maren").ok
    assert "maren asked" in actions.cancel(job_id, actor="jo").said
    Run(*taken, "worker").go()
    assert seen(job_id).state == "cancelled"
    assert batches(job_id) == [0]
    assert actions.retry(job_id, actor="jo").ok
    run_all()
    assert (seen(job_id).state, batches(job_id)) == ("succeeded", [0, 1, 2])


def test_a_retry_is_refused_while_another_job_does_the_same_work() -> None:
    first = put(unique_key="nightly")
    Job.objects.update(state="dead")
    second = put(unique_key="nightly")
    done = actions.retry(first, actor="maren")
    assert (done.ok, f"Job {second} does the same" in done.said) == (False, True)
    assert seen(first).state == "dead"


@pytest.mark.usefixtures("rows_table")
@committed
def test_a_job_that_waits_for_its_time_can_be_run_now() -> None:
    job_id = put()
    Job.objects.update(state="deferred", defer_reason="x", not_before="2100-01-01T00:00Z")
    assert actions.run_now(job_id, actor="maren").ok
    assert not actions.run_now(job_id, actor="jo").ok
    assert run_all() == [job_id]


def test_a_raised_cap_lets_what_it_deferred_ask_again() -> None:
    free, pro, scheduled = put(tier="free"), put(tier="pro"), put()
    Job.objects.update(state="deferred", not_before="2100-01-01T00:00Z", defer_rule="tier:free")
    Job.objects.filter(pk=scheduled).update(defer_rule="scheduled")
    assert actions.release_deferred(tier="free") == 1
    assert actions.release_deferred(rule="tier:free") == 2
    assert seen(scheduled).not_before != seen(free).not_before
    assert pro


@pytest.mark.parametrize("action", sorted(actions.ACTIONS))
def test_a_job_that_is_not_there_is_said_so(action: str) -> None:
    assert actions.ACTIONS[action](4711, actor="maren").said == "There is no job 4711."


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("waiting", ["cancel"]),
        ("deferred", ["run-now", "cancel"]),
        ("running", ["cancel"]),
        ("failed", ["run-now", "cancel"]),
        ("parked", ["retry", "cancel"]),
        ("dead", ["retry"]),
        ("cancelled", ["retry"]),
        ("succeeded", []),
    ],
)
def test_only_what_makes_sense_is_offered(state: str, allowed: list[str]) -> None:
    assert actions.allowed(Job(state=state, cancel_by="")) == allowed
