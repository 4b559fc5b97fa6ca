"""Requests are counted by route and exceptions by group in each process, and added up in Redis."""

import os
import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from telemetry import errors, flushing
from telemetry.errors import Sample, fingerprint_of
from telemetry.requests import MARK_HEADER, count_requests, mark, observed


@pytest.fixture(autouse=True)
def broker() -> Iterator[redis.Redis]:
    """Nothing counted before, in this process or in Redis."""
    broker = flushing.client()
    broker.flushall()
    observed.take()
    errors.gathered.take()
    yield broker
    observed.take()
    errors.gathered.take()
    broker.flushall()
    broker.close()


def counted(broker: redis.Redis) -> dict[tuple[str, ...], int]:
    """Return what Redis holds of this minute and the one before."""
    now = int(broker.time()[0]) // 60
    found: dict[tuple[str, ...], int] = {}
    for minute in (now - 1, now):
        for key, histogram in flushing.seen("requests", minute, broker=broker).items():
            found[key] = found.get(key, 0) + histogram.count
    return found


def groups(broker: redis.Redis) -> list[errors.Group]:
    now = int(broker.time()[0]) // 60
    return [*errors.seen(now - 1, broker=broker), *errors.seen(now, broker=broker)]


@pytest.mark.django_db
def test_a_request_counts_under_its_template_and_never_under_what_people_typed(
    client: Client, broker: redis.Redis
) -> None:
    client.get("/healthz/live")
    client.get("/secret-token-in-a-path")
    client.generic("BREW", "/healthz/live")
    client.get("/admin/status/overview")
    assert flushing.flush_all()
    assert counted(broker) == {
        ("/healthz/live", "GET", "2xx"): 1,
        ("/healthz/live", "OTHER", "4xx"): 1,
        ("(no route)", "GET", "4xx"): 1,
        ("/admin/status/<slug:slug>", "GET", "3xx"): 1,
    }
    assert "secret-token" not in str([broker.hgetall(key) for key in broker.scan_iter("hp:seen:*")])


def test_a_visit_of_system_status_counts_apart_and_nobody_else_can_pass_for_one(
    client: Client, broker: redis.Redis
) -> None:
    client.get("/healthz/live", headers={MARK_HEADER: mark()})
    client.get("/healthz/live", headers={MARK_HEADER: "1"})
    assert flushing.flush_all()
    assert counted(broker) == {("/healthz/live", "CHECK", "2xx"): 1, ("/healthz/live", "GET", "2xx"): 1}


def test_nothing_is_asked_of_the_database(rf: RequestFactory) -> None:
    """Without the mark for a database, a query would fail here."""
    count_requests(lambda request: HttpResponse("x"))(rf.get("/"))
    assert sum(histogram.count for histogram in observed.take().values()) == 1


def test_processes_add_up_and_a_fork_takes_nothing_of_its_parent(
    broker: redis.Redis, rf: RequestFactory
) -> None:
    """As gunicorn does with --preload: the middleware is made before the fork."""
    handler = count_requests(lambda request: HttpResponse("x"))
    handler(rf.get("/"))
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                for _ in range(5):
                    handler(rf.get("/"))
                thread = flushing._turns.thread
                code = 0 if flushing.flush_all() and thread is not None and thread.is_alive() else 2
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
    assert counted(broker) == {("(no route)", "GET", "2xx"): 15}
    assert flushing.flush_all()
    assert counted(broker) == {("(no route)", "GET", "2xx"): 16}


def test_what_redis_does_not_take_goes_with_the_next_turn(
    broker: redis.Redis, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = count_requests(lambda request: HttpResponse("x"))
    handler(rf.get("/"))
    raised = caught(ValueError("x"))
    errors.gathered.add(fingerprint_of(raised), errors.sample_of(raised, None))
    away = redis.Redis(unix_socket_path="/nowhere", socket_timeout=0.1)
    with monkeypatch.context() as patch:
        patch.setattr(flushing._turns, "_broker", away)
        assert not flushing.flush_all()
    assert flushing.flush_all()
    assert counted(broker) == {("(no route)", "GET", "2xx"): 1}
    assert [group.count for group in groups(broker)] == [1]


def caught(error: Exception) -> Exception:
    """Return an exception with a trace of its own."""
    try:
        throw(error)
    except Exception as raised:
        return raised
    return error


def throw(error: Exception) -> None:
    raise error


def test_one_place_is_one_group_whatever_it_said_and_its_sample_holds_no_secret() -> None:
    def fails(said: str) -> Exception:
        return caught(ValueError(said))

    one, two = fails("token Bearer abc.def.ghi for ada@example.org"), fails("other")
    other = caught(KeyError("x"))
    assert fingerprint_of(one) == fingerprint_of(two) != fingerprint_of(other)
    sample = errors.sample_of(one, None)
    assert sample.place.startswith("tests/telemetry/test_requests.py:")
    assert "abc.def" not in sample.message
    assert "ada@" not in sample.message


def test_a_million_groups_are_a_number_and_not_a_list(broker: redis.Redis) -> None:
    sample = Sample("E", "m", "p", [], "/", "GET")
    for turn in range(5):
        for n in range(1000):
            errors.gathered.add(f"g{turn}-{n}", sample)
        assert flushing.flush_all()
    found = groups(broker)
    assert sum(group.count for group in found) == 5000
    assert len(found) <= errors.MOST_A_MINUTE + 2
    assert next(group for group in found if group.fingerprint == errors.THE_REST).sample is None


def test_recording_an_exception_never_harms_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> str:
        raise RuntimeError("broken")

    monkeypatch.setattr(errors, "fingerprint_of", broken)
    try:
        throw(ValueError("x"))
    except ValueError:
        errors.note(None, HttpRequest())
    assert errors.gathered.take() == {errors.THE_REST: (1, "")}


def test_a_thread_hands_on_by_itself(
    broker: redis.Redis, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "EVERY_S", 0.05)
    turns = flushing.Turns()
    monkeypatch.setattr(flushing, "_turns", turns)
    assert settings.MIDDLEWARE[2] == "telemetry.requests.count_requests"
    count_requests(lambda request: HttpResponse("x"))(rf.get("/"))
    end = time.monotonic() + 30
    while not counted(broker):
        assert time.monotonic() < end
        time.sleep(0.02)
    turns._ended.set()
