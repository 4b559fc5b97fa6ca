"""A worker that stood still writes nothing to a job that another one runs by now."""

import pytest

from healthpilot.dataqueue import lease, outcomes
from healthpilot.dataqueue.claim import next_job
from healthpilot.dataqueue.lease import LeaseLostError
from healthpilot.dataqueue.sweep import sweep
from healthpilot.dataqueue.work import Step
from tests.healthpilot.dataqueue.jobs import age, put, seen

pytestmark = pytest.mark.django_db


def test_the_token_of_the_one_before_neither_commits_nor_prolongs_nor_ends_the_job() -> None:
    job_id = put()
    stale = next_job("free", owner="stale")
    age(job_id, lease_until="1 second")
    assert sweep()
    fresh = next_job("free", owner="fresh")
    assert stale
    assert fresh
    step = Step(done=9, total=9, checkpoint={"next": 9})
    with pytest.raises(LeaseLostError):
        lease.advance(stale[0], step)
    assert not lease.renew(stale[0])
    with pytest.raises(LeaseLostError):
        outcomes.succeed(stale[0], {}, actor="stale")
    with pytest.raises(LeaseLostError):
        outcomes.fail(*stale, ValueError("late"), for_good=True, actor="stale")
    assert (seen(job_id).state, seen(job_id).done) == ("running", 0)
    assert lease.renew(fresh[0])
    assert lease.advance(fresh[0], step) == ""
