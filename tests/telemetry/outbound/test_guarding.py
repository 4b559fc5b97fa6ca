"""Libraries with clients of their own: what they connect to is checked, in guarded blocks only."""

import smtplib
import socket
import threading
from urllib.request import urlopen

import pytest

from telemetry.outbound import ForbiddenAddressError, guarding
from tests.receiver import receiving


def test_nothing_private_is_connected_to_by_name_or_by_number() -> None:
    with receiving() as server:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            with guarding(allows_private=False) as refused, pytest.raises(ForbiddenAddressError):
                urlopen(url, timeout=5)
            assert "is this machine" in refused[0]
        with guarding(allows_private=False), pytest.raises(ForbiddenAddressError):
            smtplib.SMTP("127.0.0.1", 25, timeout=5)
    assert server.errors == [], "nothing came"


def test_where_it_is_allowed_and_outside_of_the_block_all_is_as_before() -> None:
    with receiving() as server:
        with guarding(allows_private=True) as refused:
            assert urlopen(server.url, timeout=5).status == 200
        with guarding(allows_private=False):
            pass
        assert urlopen(server.url, timeout=5).status == 200
    assert (refused, len(server.errors)) == ([], 2)


def test_other_threads_are_left_alone() -> None:
    found: list[object] = []
    with guarding(allows_private=False):
        thread = threading.Thread(target=lambda: found.append(socket.getaddrinfo("127.0.0.1", 80)))
        thread.start()
        thread.join()
    assert found


def test_a_public_address_may_be_asked() -> None:
    with guarding(allows_private=False) as refused:
        assert socket.getaddrinfo("1.1.1.1", 443)
    assert refused == []
