"""Putting jobs in: at once, in the caller's transaction, once per key, and refused with a reason."""

import threading
from datetime import datetime, timedelta

import pytest
import redis
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from healthpilot.dataqueue import messages
from healthpilot.dataqueue.enqueue import EnqueueError
from healthpilot.dataqueue.kinds import PayloadError, UnknownKindError
from healthpilot.dataqueue.models import Entry, Job
from tests.healthpilot.dataqueue.jobs import put, seen

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@committed
def test_a_job_waits_in_its_class_and_one_message_names_it() -> None:
    job_id = put(tier="free")
    assert (seen(job_id).state, seen(job_id).queue_class) == ("waiting", "free")
    assert messages.queue_length("free") == 1


@pytest.mark.parametrize(
    ("tier", "kind", "queue_class"),
    [("pro", "test.rows", "paid"), ("unheard-of", "test.rows", "free"), ("free", "test.heavy", "heavy")],
)
def test_the_class_goes_by_the_kind_or_else_by_whether_the_tier_pays(
    tier: str, kind: str, queue_class: str
) -> None:
    assert seen(put(kind, tier=tier)).queue_class == queue_class


@committed
def test_a_job_is_gone_with_the_transaction_that_made_it() -> None:
    with transaction.atomic():
        put()
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert messages.queue_length("free") == 0


def test_a_key_stands_for_one_open_job() -> None:
    first = put(unique_key="nightly")
    assert put(unique_key="nightly", payload={"batches": 9}) == first
    Job.objects.update(state="succeeded")
    assert put(unique_key="nightly") != first


@committed
def test_many_callers_with_one_key_make_one_job() -> None:
    made: list[int] = []

    def call() -> None:
        made.append(put(unique_key="nightly"))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == Job.objects.count() == Entry.objects.count() == 1


def test_a_job_for_later_waits_without_a_message() -> None:
    job = seen(put(not_before=timezone.now() + timedelta(hours=1)))
    assert (job.state, job.defer_rule) == ("deferred", "scheduled")
    assert job.due_at == job.not_before
    assert messages.queue_length("free") == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"payload": {"bathces": 3}}, "test.rows: bathces: Extra inputs"),
        ({"payload": {"batches": "three"}}, "test.rows: batches: Input should be a valid integer"),
        ({"payload": {"marks": "x" * 70_000}}, "at most 65,536"),
        ({"payload": {"marks": "\0"}}, "NUL"),
        ({"priority": 100}, "priority=100 is not within 0 to 99"),
        ({"user_id": "u" * 41}, "user_id"),
        ({"tier": ""}, "tier"),
        ({"unique_key": "k" * 121}, "1 to 120"),
        ({"not_before": datetime(2030, 1, 1)}, "no time zone"),  # noqa: DTZ001 - whatever is refused
    ],
)
def test_what_cannot_be_a_job_is_refused_by_name(change: dict[str, object], said: str) -> None:
    with pytest.raises((EnqueueError, PayloadError), match=said):
        put(**change)  # type: ignore[arg-type] # whatever is refused
    assert not Job.objects.exists()


def test_a_kind_that_nobody_defines_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownKindError, match=r"'test\.none'.*test\.rows"):
        put("test.none")


@committed
def test_without_a_broker_the_job_is_stored_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_retry_at", 0.0)

    def away(*args: object, **options: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(current_app, "send_task", away)
    assert seen(put()).state == "waiting"
