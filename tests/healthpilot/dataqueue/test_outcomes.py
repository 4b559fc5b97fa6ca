"""What becomes of a job that somebody asked to stop while its batch ran."""

from collections.abc import Callable

import pytest

from healthpilot.admission import Verdict
from healthpilot.dataqueue import actions, outcomes
from healthpilot.dataqueue.claim import Claim, next_job
from healthpilot.dataqueue.models import Job
from tests.healthpilot.dataqueue.jobs import entries, put, seen

pytestmark = pytest.mark.django_db


def failed(claim: Claim, job: Job) -> None:
    outcomes.fail(claim, job, ValueError("no good"), for_good=False, actor="w")


def put_off(claim: Claim, job: Job) -> None:
    outcomes.defer(claim, job, Verdict(action="defer", reason="full", rule="cap"), begun=True, actor="w")


@pytest.mark.parametrize("let_go", [failed, put_off])
def test_it_stops_although_the_batch_failed_or_a_budget_put_it_off(
    let_go: Callable[[Claim, Job], None],
) -> None:
    job_id = put()
    taken = next_job("free", owner="w")
    assert taken
    assert actions.cancel(job_id, actor="maren").ok
    let_go(*taken)
    assert seen(job_id).state == "cancelled"
    assert entries(job_id)[-1] == "cancelled"


def test_pauses_between_attempts_double_up_to_an_hour_give_or_take_a_quarter() -> None:
    for failures, usual_s in ((1, 10), (2, 20), (4, 80), (50, 3600)):
        assert usual_s * 0.75 <= outcomes.pause_s(failures) <= usual_s * 1.25


def handed_back(claim: Claim, job: Job) -> None:
    outcomes.hand_back(claim, job, "the worker is being stopped", actor="w")


def put_off_at_once(claim: Claim, job: Job) -> None:
    put_off(claim, job)
    actions.run_now(job.pk, actor="ann")


@pytest.mark.parametrize("let_go", [handed_back, put_off_at_once])
def test_starts_that_others_ended_are_no_failures_of_the_job(let_go: Callable[[Claim, Job], None]) -> None:
    job_id = put()
    for _ in range(4):
        taken = next_job("free", owner="w")
        assert taken
        let_go(*taken)
    assert (seen(job_id).state, seen(job_id).stuck) == ("waiting", 0)
