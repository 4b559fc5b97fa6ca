"""The outbound client against a real server: bounded, retried, rested, measured, redacted."""

import ast
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.outbound import CircuitOpenError, Client, ForbiddenAddressError, OutboundError
from telemetry.outbound.circuits import FAILURES, REST_S, Circuit
from telemetry.outbound.client import circuits, observed, redacted
from tests.receiver import LONG_S, receiving

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    circuits.clear()
    observed.take()
    yield
    circuits.clear()


def test_an_answer_comes_back_whole_and_the_call_is_counted() -> None:
    with receiving() as server:
        assert Client("one").request("GET", server.url).json() == {"said": 200}
    assert {key: h.count for key, h in observed.take().items()} == {("one", "2xx"): 1}


def test_a_failure_that_may_pass_is_retried_where_that_is_safe() -> None:
    with receiving("503", "500", "200") as server:
        assert Client("one").request("GET", server.url).status_code == 200
    with receiving("503", "200") as server, pytest.raises(OutboundError, match="answered 503"):
        Client("one").request("POST", server.url)
    with receiving("404", "200") as server, pytest.raises(OutboundError, match="answered 404"):
        Client("one").request("GET", server.url)


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_server_that_hangs_or_drips_is_left_at_the_limit(how: str) -> None:
    began = time.monotonic()
    with receiving(how) as server, pytest.raises(OutboundError, match=r"no answer within 0\.4 s"):
        Client("one", limit_s=0.4).request("POST", server.url)
    assert time.monotonic() - began < LONG_S
    assert ("one", "timeout") in observed.take()


def test_an_answer_without_end_is_read_no_further_than_the_bound() -> None:
    with receiving("flood") as server, pytest.raises(OutboundError, match="more than 1048576 bytes"):
        Client("one").request("POST", server.url)


def test_a_redirect_is_not_followed() -> None:
    with receiving("redirect") as server, pytest.raises(OutboundError, match="redirect, which is not"):
        Client("one").request("GET", server.url)


def test_a_guarded_client_does_not_ask_this_machine_unless_allowed() -> None:
    with receiving() as server:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(ForbiddenAddressError, match="ALERT_ALLOW_PRIVATE"):
                Client("one", is_guarded=True).request("POST", url)
        assert server.errors == []
        allowed = Client("one", is_guarded=True, allows_private=True)
        assert allowed.request("POST", server.url.replace("127.0.0.1", "localhost")).status_code == 200


def test_who_fails_again_and_again_is_left_alone_until_one_try_succeeds() -> None:
    now = [0.0]
    circuit = Circuit("one", clock=lambda: now[0])
    for _ in range(FAILURES):
        circuit.enter()
        circuit.leave(is_well=False)
    with pytest.raises(CircuitOpenError, match="failed 5 times"):
        circuit.enter()
    now[0] += REST_S
    circuit.enter()
    with pytest.raises(CircuitOpenError):
        circuit.enter()
    circuit.leave(is_well=True)
    assert circuit.state == "closed"


def test_a_service_that_fails_is_rested_and_not_asked() -> None:
    with receiving("500") as server:
        client = Client("one")
        for _ in range(FAILURES):
            with pytest.raises(OutboundError):
                client.request("POST", server.url)
        with pytest.raises(CircuitOpenError):
            client.request("POST", server.url)
        assert len(server.errors) == FAILURES


def test_what_is_shown_of_an_error_holds_no_secret() -> None:
    told = redacted(
        "POST https://hooks.example.com/services/T0/B0/s3cret?k=1 with Bearer abc123 whsec_abcdefg"
    )
    assert told == "POST https://hooks.example.com with *** ***"


CLIENTS = {"httpx", "httpx2", "httpcore2", "requests", "aiohttp", "urllib3", "http.client", "urllib.request"}


def test_nothing_asks_other_services_but_through_this_client() -> None:
    stray = []
    for app in ("healthpilot", "telemetry", "systemstatus", "costs", "governance"):
        for path in sorted((ROOT / app).rglob("*.py")):
            if path.is_relative_to(ROOT / "telemetry/outbound"):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                stray += [f"{path.relative_to(ROOT)}: {name}" for name in names if name in CLIENTS]
    assert stray == ALLOWED


# Asks this copy's own web server whether it answers, while it starts.
ALLOWED = ["healthpilot/preparation.py: http.client"]
