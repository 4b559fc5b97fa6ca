"""One job from the queue to its end, whatever end that is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from healthpilot import admission
from healthpilot.admission import Ask, Spent, Verdict
from healthpilot.dataqueue import run, shutdown
from healthpilot.dataqueue.claim import next_job
from healthpilot.dataqueue.lease import LeaseLostError
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.sweep import sweep
from telemetry.models import JobEvent
from tests.healthpilot.dataqueue.jobs import age, batches, entries, put, run_all, seen
from tests.telemetry.shipped import shipped

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rows_table")]


@pytest.mark.parametrize("kind", ["test.rows", "test.counted"])
def test_a_job_runs_batch_after_batch_to_its_end(kind: str) -> None:
    job_id = put(kind, {"batches": 4})
    assert run_all() == [job_id]
    job = seen(job_id)
    assert (job.state, job.done, job.total, job.percent, job.attempt) == ("succeeded", 4, 4, 100, 1)
    assert batches(job_id) == [0, 1, 2, 3]
    assert job.finished_at
    assert job.lease_until is None
    assert entries(job_id) == ["queued", "started", "succeeded"]


def test_a_job_that_fails_goes_on_at_its_checkpoint_after_a_pause() -> None:
    job_id = put(payload={"batches": 4, "fail_in": 2})
    run_all()
    job = seen(job_id)
    assert (job.state, job.done, job.checkpoint, job.error_code) == ("failed", 2, {"next": 2}, "ValueError")
    assert "geheim" not in job.error_message
    assert job.not_before
    assert timedelta(seconds=5) < job.not_before - timezone.now() < timedelta(seconds=15)
    assert run_all() == []
    Job.objects.update(payload={"batches": 4})
    age(job_id, not_before="1 second")
    sweep()
    run_all()
    assert seen(job_id).state == "succeeded"
    assert batches(job_id) == [0, 1, 2, 3]
    assert entries(job_id) == ["queued", "started", "failed", "started", "succeeded"]


def test_a_job_that_fails_again_and_again_at_one_checkpoint_is_dead() -> None:
    job_id = put(payload={"batches": 2, "fail_in": 1})
    for _ in range(5):
        age(job_id, not_before="1 second")
        sweep()
        run_all()
    job = seen(job_id)
    assert (job.state, job.attempt, job.stuck) == ("dead", 5, 5)
    assert batches(job_id) == [0]


def test_a_job_that_says_it_can_never_be_done_is_not_tried_again() -> None:
    job_id = put(payload={"refuse_in": 0})
    run_all()
    assert (seen(job_id).state, seen(job_id).error_message) == (
        "dead",
        "there is nothing to write: give batches",
    )


def test_a_worker_that_lost_its_job_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = put(payload={"batches": 3})
    taken = next_job("free", owner="stale")
    assert taken
    age(job_id, lease_until="1 second")
    sweep()
    assert seen(job_id).state == "waiting"
    with pytest.raises(LeaseLostError):
        run.Run(*taken, "stale").go()
    assert batches(job_id) == []
    assert run_all() == [job_id]
    assert batches(job_id) == [0, 1, 2]


def test_every_attempt_is_recorded_and_its_wait_counts_from_when_it_was_due() -> None:
    job_id = put(payload={"batches": 2, "fail_in": 1}, not_before=timezone.now() + timedelta(hours=1))
    age(job_id, not_before="3 seconds", created_at="1 hour")
    sweep()
    run_all()
    event = shipped(JobEvent).get()
    assert (event.job_type, event.job_id, event.success) == ("test.rows", str(job_id), False)
    assert (event.error_code, event.attempt, event.tier, event.user_id) == ("ValueError", 1, "free", "ada")
    assert event.queue_wait_ms
    assert 3000 <= event.queue_wait_ms < 60_000


def test_a_job_hands_back_between_batches_when_its_worker_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = put(payload={"batches": 3})
    monkeypatch.setattr(shutdown, "is_near", lambda: True)
    run.run_next("free")
    assert (seen(job_id).state, seen(job_id).done) == ("waiting", 1)
    monkeypatch.undo()
    run_all()
    assert batches(job_id) == [0, 1, 2]


def test_long_work_is_handed_back_so_that_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SLICE_S", -1)
    job_id = put(payload={"batches": 3})
    run_all()
    assert (seen(job_id).state, seen(job_id).attempt) == ("succeeded", 4)
    assert batches(job_id) == [0, 1, 2]


class Keeper:
    """A keeper of budgets that answers what it is told and remembers what it heard."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)
        self.asked: list[Ask] = []
        self.settled: list[tuple[Verdict, Spent]] = []

    def admit(self, ask: Ask) -> Verdict:
        self.asked.append(ask)
        return self.verdicts.pop(0) if self.verdicts else Verdict()

    def settle(self, verdict: Verdict, spent: Spent) -> None:
        self.settled.append((verdict, spent))


def test_admission_is_asked_before_a_job_and_told_what_it_took() -> None:
    keeper = Keeper(Verdict(action="run", reservation=7))
    admission.register(keeper)
    job_id = put(payload={"batches": 3})
    run_all()
    assert keeper.asked == [
        Ask(what="test.rows", tier="free", domain="tests", user_id="ada", job_id=str(job_id), est_cpu_ms=30)
    ]
    ((verdict, spent),) = keeper.settled
    assert verdict.reservation == 7
    assert spent.cpu_ms >= 0


def test_a_job_that_admission_defers_waits_with_its_reason_and_is_no_attempt() -> None:
    release = timezone.now() + timedelta(hours=3)
    keeper = Keeper(
        Verdict(action="defer", reason="cpu_ms of free is used up", rule="tier:free", release_at=release)
    )
    admission.register(keeper)
    job_id = put()
    run_all()
    job = seen(job_id)
    assert (job.state, job.attempt, job.stuck) == ("deferred", 0, 0)
    assert (job.defer_reason, job.defer_rule) == ("cpu_ms of free is used up", "tier:free")
    assert job.not_before
    assert job.not_before >= release
    assert not shipped(JobEvent).exists()
    assert keeper.settled == []
    age(job_id, not_before="1 second")
    sweep()
    run_all()
    assert (seen(job_id).state, seen(job_id).attempt) == ("succeeded", 1)


def test_long_work_asks_again_and_keeps_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ASK_AGAIN_S", 0)
    keeper = Keeper(Verdict(reservation=1), Verdict(action="defer", reason="used up", rule="global"))
    admission.register(keeper)
    job_id = put(payload={"batches": 3})
    run_all()
    assert (seen(job_id).state, seen(job_id).done) == ("deferred", 1)
    assert len(keeper.settled) == 1
    assert shipped(JobEvent).get().success


def test_a_keeper_that_fails_defers_rather_than_letting_it_spend(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper()
    monkeypatch.setattr(keeper, "admit", lambda ask: 1 / 0)
    admission.register(keeper)
    job_id = put()
    run_all()
    assert seen(job_id).state == "deferred"
    assert "ZeroDivisionError" in seen(job_id).defer_reason
