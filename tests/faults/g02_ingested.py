"""G1, G2 over HTTP: eight programs send the same events, thrice, shuffled; PostgreSQL is stopped at once."""

import json
import os
import random
import signal
import time
from pathlib import Path

from django.db import connection

from tests.faults.processes import Child, wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

WRITERS = 8
TIMES = 3
BATCH = 50
PATIENCE_S = 60


SIZES = {"tiny": (400, 1), "normal": (2000, 5), "full": (20_000, 20)}


def try_it(size: Size) -> str:
    """Send numbered events, stop the database meanwhile, compare what is there with what was acknowledged.

    Every writer sends every batch until it is answered 2xx, so all must be there once, whatever was cut off.
    """
    events, stops = SIZES[size]
    empty()
    from tests.costs.factories import make_token

    token = make_token("events:write", name="faults")
    connection.close()
    writers = [Child(lambda seed=seed: send_all(token, events, seed)) for seed in range(WRITERS)]  # type: ignore[misc] # bound at once
    for number in range(stops):
        wait_until_stored(events * (number + 1) // (stops + 2))
        stop_at_once()
    codes = [writer.exit_code() for writer in writers]
    assert codes == [0] * WRITERS, f"writers ended with {codes}"
    conflict(token)
    ids, stored, distinct = counts()
    assert stored == distinct == ids, f"{stored} rows of {distinct} events under {ids} ids"
    assert stored == events, f"{events} acknowledged, {stored} stored"
    return (
        f"{events:,} events, each sent {WRITERS * TIMES} times, the database stopped {stops} times:"
        f" {events - stored} lost, {stored - distinct} twice; another body got 409"
    )


def counts() -> tuple[int, int, int]:
    """Return how many ids, rows and different events are stored."""
    ((ids,),) = execute("SELECT count(*) FROM telemetry_ingested")
    ((stored, distinct),) = execute("SELECT count(*), count(DISTINCT user_id) FROM telemetry_llm_events")
    return int(str(ids)), int(str(stored)), int(str(distinct))


def send_all(token: str, events: int, seed: int) -> None:
    """Send every batch three times in an order of its own, each until it is acknowledged."""
    from django.test import Client

    chance = random.Random(seed)
    batches = [range(start, min(start + BATCH, events)) for start in range(0, events, BATCH)] * TIMES
    chance.shuffle(batches)
    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    for batch in batches:
        numbers = list(batch)
        chance.shuffle(numbers)
        until_acknowledged(client, token, "\n".join(event(number) for number in numbers))


def until_acknowledged(client: object, token: str, body: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while (status := send(client, token, body)) != 200:
        assert status == 503, f"answered {status}"
        connection.close()  # as a server does before its next request; the test client does not
        assert time.monotonic() < end, "no answer of 2xx in time"
        time.sleep(0.1)


def send(client: object, token: str, body: str) -> int:
    answer = client.post(  # type: ignore[attr-defined] # a client of httpx
        "/api/ingest/events",
        body,
        content_type="application/x-ndjson",
        headers={"Authorization": f"Bearer {token}"},
    )
    return int(answer.status_code)


def event(number: int, **change: object) -> str:
    told = {
        "event_id": f"n{number}", "kind": "llm", "user_id": f"u{number}", "tier": "pro", "llm_model": "m",
        "context_type": "c", "input_tokens": number, "output_tokens": 1,
    }  # fmt: skip
    return json.dumps(told | change)


def conflict(token: str) -> None:
    """A known id with another body must be told apart."""
    from django.test import Client

    status = send(Client(SERVER_NAME="localhost"), token, event(0, output_tokens=2))
    assert status == 409, f"another body under a known id was answered {status}"


def wait_until_stored(least: int) -> None:
    wait_until(lambda: stored_at_least(least), f"{least} events", limit_s=PATIENCE_S)


def stored_at_least(least: int) -> bool:
    ((count,),) = execute("SELECT count(*) FROM telemetry_ingested")
    return int(str(count)) >= least


def stop_at_once() -> None:
    """Stop PostgreSQL as a crash would, without any farewell, and start it again."""
    from healthpilot import embedded
    from healthpilot.embedded import postgres

    home = embedded.Home(Path(os.environ["HEALTHPILOT_VAR"]))
    server = postgres.postmaster(home)
    assert server is not None
    server.send_signal(signal.SIGQUIT)
    postgres.wait_gone([server], 20)
    connection.close()
    time.sleep(0.3)
    embedded.start(home, parts=("postgres",), durable=False, say=lambda line: None)
