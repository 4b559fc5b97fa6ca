"""Whose turn it is: priority, then fair among users, and nobody for ever last."""

import threading

import pytest
from django.db import connection

from healthpilot.dataqueue import actions
from healthpilot.dataqueue.claim import next_job
from tests.healthpilot.dataqueue.jobs import age, put

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def order(queue_class: str) -> list[int]:
    """Take every job of a class and return them in the order they came."""
    taken: list[int] = []
    while found := next_job(queue_class, owner="tester"):
        taken.append(found[0].job_id)
    return taken


def test_priority_goes_first_and_then_age() -> None:
    usual, later, urgent = put(user_id="a"), put(user_id="b"), put(user_id="c", priority=10)
    assert order("free") == [urgent, usual, later]


def test_the_thousand_jobs_of_one_user_do_not_come_before_the_first_of_another() -> None:
    crowd = [put(user_id="crowd") for _ in range(6)]
    first, second = put(user_id="one"), put(user_id="one")
    assert order("free") == [crowd[0], first, crowd[1], second, *crowd[2:]]


def test_who_has_waited_past_the_bound_goes_before_every_priority() -> None:
    low = put("test.heavy", tier="free", priority=99)
    age(low, fair_at="11 minutes")
    urgent = put("test.heavy", tier="enterprise", priority=0)
    assert order("heavy") == [low, urgent]


def test_old_jobs_of_one_user_do_not_come_before_the_first_of_another() -> None:
    crowd = [put(user_id="crowd") for _ in range(6)]
    for job_id in crowd:
        age(job_id, due_at="11 minutes")
    first = put(user_id="one")
    assert order("free")[:2] == [crowd[0], first]


def test_a_paused_class_begins_no_job_until_it_is_resumed() -> None:
    job_id = put()
    assert actions.pause("free", actor="maren").ok
    assert not actions.pause("free", actor="jo").ok
    assert order("free") == []
    assert actions.resume("free", actor="jo").ok
    assert order("free") == [job_id]


@committed
def test_each_job_is_taken_by_one_worker() -> None:
    jobs = [put(user_id=f"u{number}") for number in range(20)]
    taken: list[int] = []

    def take() -> None:
        taken.extend(order("free"))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == jobs
