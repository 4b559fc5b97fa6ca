"""A PostgreSQL that stands still is given up: before connecting, in a statement, on a kept connection."""

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, connections

from healthpilot.postgres import base
from healthpilot.postgres.base import DatabaseWrapper, Silence

PATIENCE_S = 0.8
# What a machine that does other work may take besides.
BUSY_S = 10
pytestmark = pytest.mark.django_db


class Relay:
    """Hands bytes on between clients and the real server, until it is frozen."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder, self.server = folder, server
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / server.name))
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(str(self.server))
            for pair in ((client, behind), (behind, client)):
                threading.Thread(target=self.hand_on, args=pair, daemon=True).start()

    def hand_on(self, giver: socket.socket, taker: socket.socket) -> None:
        try:
            while said := giver.recv(65536):
                self.goes_on.wait()
                taker.sendall(said)
        except OSError:
            pass
        finally:
            for end in (giver, taker):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        self.goes_on.clear()

    def thaw(self) -> None:
        self.goes_on.set()


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.setattr(Silence, "until", 0.0)
    there = connections["default"].settings_dict
    with tempfile.TemporaryDirectory() as folder:
        relay = Relay(Path(folder), Path(there["HOST"]) / f".s.PGSQL.{there['PORT'] or 5432}")
        yield relay
        relay.thaw()
        relay.listener.close()


@pytest.fixture
def link(relay: Relay) -> Iterator[DatabaseWrapper]:
    """A connection of the project's own kind, over the relay."""
    own = connections.create_connection("default")
    options = own.settings_dict["OPTIONS"] | {"patience_s": PATIENCE_S, "connect_timeout": 2}
    own.settings_dict = own.settings_dict | {
        "HOST": str(relay.folder),
        "OPTIONS": options,
    }
    assert isinstance(own, DatabaseWrapper)
    own.inc_thread_sharing()
    yield own
    own.close()


def one(link: DatabaseWrapper) -> int:
    with link.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


def test_a_statement_without_an_answer_is_given_up_and_its_connection_with_it(
    link: DatabaseWrapper, relay: Relay
) -> None:
    assert one(link) == 1
    relay.freeze()
    began = time.monotonic()
    with pytest.raises(OperationalError, match="gave no answer within"):
        one(link)
    assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + BUSY_S
    assert link.connection.closed


def test_while_the_silence_lasts_nobody_waits_again_and_after_it_all_is_as_before(
    link: DatabaseWrapper, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "PAUSE_S", 60)
    one(link)
    relay.freeze()
    with pytest.raises(OperationalError):
        one(link)
    link.close()
    with pytest.raises(OperationalError, match="a moment ago"):
        one(link)
    relay.thaw()
    Silence.until = time.monotonic() + 0.2
    while Silence.lasts():
        time.sleep(0.02)
    assert one(link) == 1


def test_a_kept_connection_that_falls_silent_is_no_use(
    link: DatabaseWrapper, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    one(link)
    assert link.is_usable()
    assert link.connection.patience_s == PATIENCE_S
    monkeypatch.setattr(base, "PROOF_S", 0.1)
    link.settings_dict["OPTIONS"]["patience_s"] = BUSY_S
    relay.freeze()
    began = time.monotonic()
    assert not link.is_usable()
    assert time.monotonic() - began < BUSY_S
    assert not Silence.lasts(), "a proof is shorter than a page's patience, and so proves nothing to others"


def test_a_server_that_takes_connections_and_says_nothing_is_given_up(
    link: DatabaseWrapper, relay: Relay
) -> None:
    relay.freeze()
    with pytest.raises(OperationalError, match="timeout"):
        one(link)
    assert Silence.lasts()


def test_a_health_check_keeps_its_silence_to_itself_and_asks_while_others_do_not(
    link: DatabaseWrapper, relay: Relay
) -> None:
    link.settings_dict["OPTIONS"]["is_apart"] = True
    Silence.noted()
    assert one(link) == 1
    Silence.until = 0.0
    relay.freeze()
    with pytest.raises(OperationalError, match="gave no answer within"):
        one(link)
    assert not Silence.lasts()


def test_without_patience_a_long_answer_is_waited_for(link: DatabaseWrapper) -> None:
    link.settings_dict["OPTIONS"].pop("patience_s")
    with link.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [PATIENCE_S * 1.5])
        assert isinstance(link.connection, psycopg.Connection)
    assert link.is_usable()
