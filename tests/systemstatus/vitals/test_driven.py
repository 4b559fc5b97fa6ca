"""What processes and jobs say of themselves is told as old as it is."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from healthpilot.dataqueue.models import Job, State
from systemstatus.models import Canary, Sign
from systemstatus.probes import queues, workers
from systemstatus.registry import Reading
from systemstatus.vitals import canaries, signs


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def worker_is(seconds: float) -> None:
    signs.say("celery@one", "worker", {"queues": ["system"]}, stale_s=seconds)


def beat_is(seconds: float) -> None:
    entry = {"name": "a tick", "task": "t", "every_s": 5, "overdue_s": -5}
    signs.say("beat@one", "beat", {"entries": [entry]}, stale_s=seconds + 5)


def canary_is(seconds: float) -> None:
    Canary.objects.update_or_create(queue="paid", defaults={"waiting_since": ago(seconds), "sent_at": ago(1)})


def job_is(seconds: float) -> None:
    Job.objects.all().delete()
    Job.objects.create(
        kind="t.x", tier="pro", user_id="u", domain="", queue_class="free", state=State.RUNNING
    )
    Job.objects.update(updated_at=ago(seconds))


def by_target(reading: Reading) -> Mapping[str, float]:
    (value,) = reading.values.values()
    assert isinstance(value, Mapping)
    return value


@pytest.mark.django_db
def test_no_worker_at_all_is_unknown_and_one_that_ended_leaves_nobody() -> None:
    assert (workers.workers().state, workers.schedule().state) == ("unknown", "unknown")
    worker_is(0)
    signs.end("celery@one")
    gone = workers.workers()
    assert (gone.state, list(by_target(gone))) == ("failed", ["no worker"])
    assert "celery@one" in gone.note


@pytest.mark.django_db
def test_a_worker_that_was_taken_away_is_forgotten_once_others_serve_its_queues() -> None:
    signs.say("celery@old", "worker", {"queues": ["heavy", "system"]}, stale_s=4000)
    signs.say("celery@new", "worker", {"queues": ["system"]})
    assert {one.name for one in signs.workers()} == {"celery@old", "celery@new"}
    signs.say("celery@new", "worker", {"queues": ["heavy", "system"]})
    assert {one.name for one in signs.workers()} == {"celery@new"}


@pytest.mark.django_db
def test_a_queue_that_no_worker_takes_from_is_named() -> None:
    worker_is(0)
    found = workers.workers()
    assert (found.state, found.note) == ("warning", "No worker takes from free, heavy, paid")


@pytest.mark.django_db
def test_a_sign_begins_anew_with_another_process_and_goes_after_a_month() -> None:
    worker_is(0)
    Sign.objects.update(pid=1, started_at=ago(900))
    worker_is(0)
    assert timezone.now() - Sign.objects.get().started_at < timedelta(seconds=60)
    worker_is(31 * 86_400)
    signs.prune()
    assert not Sign.objects.exists()


@pytest.mark.django_db
def test_a_canary_waits_from_the_first_one_unanswered_and_a_late_answer_counts() -> None:
    sent: list[int] = []
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(canaries.SEND, ["paid"])
            sent.append(cursor.fetchone()[0])
    Canary.objects.update(waiting_since=ago(90))
    (standing,) = canaries.standings(["paid"])
    assert standing.waits
    assert 90 <= (standing.seconds or 0) < 150
    canaries.answer("paid", sent[0])
    (standing,) = canaries.standings(["paid"])
    assert (standing.waits, standing.is_due) == (False, True)
    assert 90 <= (standing.seconds or 0) < 150
    canaries.answer("paid", sent[1])
    assert (canaries.standings(["paid"])[0].seconds or 0) >= 90


@pytest.mark.django_db
def test_a_job_that_says_how_far_it_is_within_a_batch_makes_progress() -> None:
    from healthpilot.dataqueue import heartbeat
    from healthpilot.dataqueue.work import Step

    job_is(400)
    job = Job.objects.get()
    assert 400 <= by_target(queues.progress())["t.x"] < 405
    heartbeat.show(job.pk, Step(done=3), timezone.now())
    assert by_target(queues.progress())["t.x"] < 5
