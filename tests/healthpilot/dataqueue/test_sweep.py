"""The sweeper: takes up what dead workers left, parks poison, releases what is due, sends what was lost."""

from datetime import timedelta

import pytest
import redis
from django.db import connection, connections
from django.utils import timezone

from healthpilot.dataqueue import actions, messages, outcomes
from healthpilot.dataqueue.claim import next_job
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.sweep import Swept, sweep
from tests.healthpilot.dataqueue.jobs import age, entries, put, seen

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def lose(job_id: int) -> None:
    """Take the job and let its lease run out, as a killed worker does."""
    taken = next_job(seen(job_id).queue_class, owner="doomed")
    assert taken
    assert taken[0].job_id == job_id
    Job.objects.filter(pk=job_id).update(lease_pid=None)
    age(job_id, lease_until="1 second")


def test_a_job_whose_worker_died_waits_again_under_another_token() -> None:
    job_id = put()
    lose(job_id)
    before = seen(job_id).token
    assert sweep() == Swept(taken_up=1, sent=1)
    assert seen(job_id).state == "waiting"
    assert seen(job_id).token == before + 1
    assert entries(job_id)[-1] == "taken up"


def test_a_job_that_kills_three_workers_at_one_checkpoint_is_parked() -> None:
    job_id = put()
    for _ in range(3):
        lose(job_id)
        sweep()
    assert seen(job_id).state == "parked"
    assert "3 times" in seen(job_id).error_message
    assert sweep() == Swept()
    assert actions.retry(job_id, actor="maren").ok
    assert (seen(job_id).state, seen(job_id).stuck) == ("waiting", 0)


def test_work_that_must_not_be_begun_twice_is_parked_at_once() -> None:
    job_id = put("test.once")
    lose(job_id)
    sweep()
    assert seen(job_id).state == "parked"


def test_a_lease_that_is_not_over_is_left_alone() -> None:
    job_id = put()
    next_job("free", owner="alive")
    assert sweep() == Swept()
    assert seen(job_id).state == "running"


def test_a_lost_job_that_somebody_cancelled_is_cancelled() -> None:
    job_id = put()
    lose(job_id)
    actions.cancel(job_id, actor="maren")
    sweep()
    assert seen(job_id).state == "cancelled"


@committed
def test_the_server_process_of_a_lost_worker_is_ended_with_what_it_held() -> None:
    job_id = put()
    stale = connections.create_connection("default")
    with stale.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        next_job("free", owner="stale")
        Job.objects.update(lease_pid=pid)
        age(job_id, lease_until="1 second")
        sweep()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.2)")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid])
        assert cursor.fetchone()[0] == 0
    stale.close()


@committed
def test_messages_that_are_lost_are_sent_again_and_no_more_than_those(clean_broker: redis.Redis) -> None:
    for _ in range(3):
        put()
    clean_broker.flushall()
    assert sweep() == Swept(sent=3)
    assert sweep() == Swept(sent=0)
    assert messages.queue_length("free") == 3


def test_what_is_due_waits_again_each_user_s_jobs_apart() -> None:
    soon = timezone.now() + timedelta(hours=1)
    crowd = [put(user_id="crowd", not_before=soon) for _ in range(3)]
    one = put(user_id="one", not_before=soon)
    for job_id in [*crowd, one]:
        age(job_id, not_before="1 minute")
    swept = sweep()
    assert swept
    assert (swept.released, swept.sent) == (4, 4)
    taken = []
    while found := next_job("free", owner="tester"):
        taken.append(found[0].job_id)
    assert set(taken[:2]) == {crowd[0], one}


def test_of_jobs_deferred_to_one_moment_everybody_s_first_comes_before_anybody_s_second() -> None:
    release = timezone.now() + timedelta(hours=2)
    for place in range(4):
        moment = outcomes.spread(release, "tier free jobs", "ada")
        assert timedelta(seconds=place / 2) <= moment - release < timedelta(seconds=(place + 1) / 2)
        Job.objects.filter(pk=put(not_before=moment)).update(defer_rule="tier free jobs")
    for user, rule in (("one", "tier free jobs"), ("ada", "another")):
        assert outcomes.spread(release, rule, user) - release < timedelta(seconds=0.5)


@committed
def test_two_sweepers_do_not_sweep_side_by_side() -> None:
    from healthpilot.dataqueue.sweep import LOCK

    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert sweep() is None
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    other.close()
    assert sweep() == Swept()


def test_a_crowd_s_turns_stand_apart_over_many_sweeps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthpilot.dataqueue.sweep.MOST_RELEASED", 2)
    soon = timezone.now() + timedelta(hours=1)
    crowd = [put(user_id="crowd", not_before=soon) for _ in range(8)]
    one = put(user_id="one", not_before=soon)
    Job.objects.filter(pk__in=crowd).update(not_before=timezone.now() - timedelta(minutes=2))
    age(one, not_before="1 minute")
    for _ in range(5):
        sweep()
    taken = [found[0].job_id for _ in range(9) if (found := next_job("free", owner="tester"))]
    assert len(taken) == 9
    assert one in taken[:2]
