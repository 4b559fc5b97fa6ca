"""The short way to Redis: answers that come in pieces, errors, silence, and connections that were closed."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from costs.throttle import wire
from costs.throttle.counters import Counters, CountersAway, StaleConnection, make_counters
from costs.throttle.wire import Wire, packed, read


@pytest.fixture
def line() -> Iterator[Wire]:
    one = Wire(redis.Redis.from_url(settings.REDIS_ADDRESS).connection_pool, limit_s=1)
    yield one
    one.close()


def command(*words: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(words), packed(*words))


def test_it_asks_over_a_connection_that_redis_py_made(line: Wire) -> None:
    assert line.ask(command(b"PING")) == b"PONG"
    assert line.ask(command(b"EVAL", b"return {1, 'two', {false, 3}}", b"0")) == [1, b"two", [None, 3]]


def test_an_answer_longer_than_one_read_is_put_together(line: Wire) -> None:
    long = b"x" * (3 * wire.MOST)
    assert line.ask(command(b"ECHO", long)) == long


def test_what_redis_refuses_is_an_error_and_the_connection_goes_on(line: Wire) -> None:
    with pytest.raises(redis.exceptions.NoScriptError):
        line.ask(command(b"EVALSHA", b"0" * 40, b"0"))
    with pytest.raises(redis.ResponseError, match="unknown command"):
        line.ask(command(b"NONSENSE"))
    assert line.ask(command(b"PING")) == b"PONG"


@pytest.mark.parametrize("whole", [b":12\r\n", b"$3\r\na\r\n\r\n", b"*2\r\n$1\r\nx\r\n:1\r\n", b"$-1\r\n"])
def test_no_beginning_of_an_answer_is_taken_for_it(whole: bytes) -> None:
    assert read(whole, 0)[1] == len(whole)
    for end in range(len(whole)):
        with pytest.raises(ValueError):
            read(whole[:end], 0)


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[str]:
    """A server that lets clients connect, reads what redis-py says first, and then says nothing."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                while said := client.recv(9999):
                    if b"silence" not in said:
                        client.sendall(b"+OK\r\n" * said.count(b"*"))

        threading.Thread(target=serve, daemon=True).start()
        yield f"unix://{path}?protocol=2"


def test_a_server_that_says_nothing_is_given_up_in_time(mute: str) -> None:
    with pytest.raises(OSError, match="temporarily unavailable"):
        Wire(redis.Redis.from_url(mute).connection_pool, limit_s=0.1).ask(command(b"silence"))


def closed_behind_its_back(counters: Counters) -> None:
    """Close a connection that was used and is idle, as a restart of Redis does."""
    counters.run("renew", "nothing", 1)
    (idle,) = counters.idle
    client: Any = counters.client
    client.client_kill_filter(_id=idle.ask(command(b"CLIENT", b"ID")))


def test_a_connection_that_was_closed_meanwhile_is_made_anew_without_a_pause() -> None:
    counters = make_counters()
    closed_behind_its_back(counters)
    assert counters.run("renew", "nothing", 1) == 0
    assert counters.retry_at == 0


def test_a_reservation_is_not_asked_for_twice_under_one_lease() -> None:
    counters = make_counters()
    counters.load("admit", 2)
    closed_behind_its_back(counters)
    with pytest.raises(StaleConnection):
        counters.admit("lease", b"", 1)
    assert counters.idle == []


def test_where_redis_is_not_there_nobody_is_asked_for_a_while() -> None:
    counters = Counters("unix:///nowhere/valkey.sock")
    for _ in range(2):
        with pytest.raises(CountersAway):
            counters.run("renew", "x", 1)
    assert counters.retry_at > 0
