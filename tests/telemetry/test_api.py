"""POST /api/ingest/events: what is answered, and that the answer is true."""

import gzip
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from telemetry.ingest import once
from telemetry.models import JobEvent, LlmEvent, Shipment
from tests.costs.factories import bearer, make_admin, make_token
from tests.telemetry.ingest.test_parsing import CALL, JOB, lines

pytestmark = pytest.mark.django_db

PATH = "/api/ingest/events"


@pytest.fixture
def token() -> str:
    cache.clear()
    return make_token("events:write", name="app")


def send(token: str, *records: Any, data: bytes | None = None, **headers: str) -> Any:
    content_type = headers.pop("type", "application/x-ndjson")
    return Client(CONTENT_TYPE=content_type).post(
        PATH,
        lines(*records) if data is None else data,
        content_type=content_type,
        headers=bearer(token) | headers,
    )


def test_good_events_are_stored_and_counted(token: str) -> None:
    answer = send(token, CALL, JOB | {"event_id": "e2"})
    assert answer.status_code == 200
    assert answer.json() == {"accepted": 2, "duplicates": 0, "rejected": [], "conflicts": []}
    assert (LlmEvent.objects.count(), JobEvent.objects.count(), Shipment.objects.count()) == (1, 1, 2)


def test_the_same_request_again_is_accepted_and_counts_once(token: str) -> None:
    send(token, CALL)
    answer = send(token, CALL)
    assert (answer.status_code, answer.json()["accepted"], answer.json()["duplicates"]) == (200, 0, 1)
    assert LlmEvent.objects.count() == 1


def test_another_token_of_the_same_application_knows_its_ids(token: str) -> None:
    send(token, CALL)
    successor = make_token("events:write", name="app, from June", client="app")
    assert send(successor, CALL).json()["duplicates"] == 1


def test_one_bad_line_rejects_only_itself(token: str) -> None:
    answer = send(token, CALL, CALL | {"event_id": "e2", "user_id": ""}, "{", CALL | {"event_id": "e4"})
    assert answer.status_code == 207
    body = answer.json()
    assert body["accepted"] == 2
    said = "user_id is empty, give 1 to 40 characters"
    assert body["rejected"][0] == {"line": 2, "event_id": "e2", "field": "user_id", "message": said}
    assert body["rejected"][1]["line"] == 3
    assert LlmEvent.objects.count() == 2


def test_a_corrected_line_may_keep_its_id(token: str) -> None:
    send(token, CALL | {"user_id": ""})
    assert send(token, CALL).json()["accepted"] == 1


def test_when_no_line_is_good_the_request_fails_and_says_why(token: str) -> None:
    answer = send(token, CALL | {"user_id": ""}, "{")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "no_valid_events"
    assert "line 1" in answer.json()["error"]["message"]
    assert len(answer.json()["rejected"]) == 2


def test_a_known_id_with_another_body_is_a_conflict_named_by_line_and_the_rest_is_stored(token: str) -> None:
    send(token, CALL)
    answer = send(token, CALL | {"event_id": "e2"}, CALL | {"input_tokens": 9})
    assert answer.status_code == 409
    body = answer.json()
    assert body["error"]["code"] == "event_conflict"
    assert body["error"]["message"].startswith("Line 2: the event_id e1 ")
    assert [one["line"] for one in body["conflicts"]] == [2]
    assert body["accepted"] == 1
    assert sorted(LlmEvent.objects.values_list("input_tokens", flat=True)) == [5, 5]


def test_gzip_is_taken(token: str) -> None:
    answer = send(token, data=gzip.compress(lines(CALL)), **{"Content-Encoding": "gzip"})
    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b"", {}, 422, "no_events"),
        (b"{}", {"type": "application/json"}, 415, "unsupported_type"),
        (b"{}", {"Content-Encoding": "zstd"}, 415, "unsupported_encoding"),
        (b"{}", {"Content-Encoding": "gzip"}, 400, "broken_gzip"),
        (b"x" * (5 << 20), {}, 413, "too_large"),
        (b"{}\n" * 1001, {}, 413, "too_many_events"),
    ],
)
def test_a_body_of_no_use_is_refused_with_a_reason(
    token: str, data: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = send(token, data=data, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["remedy"]


def test_without_a_token_nothing_is_taken_whoever_is_signed_in(client: Client) -> None:
    client.force_login(make_admin())
    answer = client.post(PATH, lines(CALL), content_type="application/x-ndjson")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_required")
    assert not LlmEvent.objects.exists()


def test_a_token_for_reading_may_not_write() -> None:
    answer = send(make_token("cost:read"), CALL)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_required")


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_not_allowed(token: str, method: str) -> None:
    assert getattr(Client(), method)(PATH, headers=bearer(token)).status_code == 405


def test_while_the_database_is_away_the_answer_is_503_and_when_to_come_back(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(once, "claim", away)
    client = Client(raise_request_exception=False)
    answer = client.post(PATH, lines(CALL), content_type="application/x-ndjson", headers=bearer(token))
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["error"]["code"] == "unavailable"
    assert "Traceback" not in answer.content.decode()
    assert not LlmEvent.objects.exists()


def test_a_hostile_event_is_text_all_the_way(token: str) -> None:
    hostile = ["<script>alert(1)</script>", "=cmd|'/c calc'!A1", "\u202egnirts", "🦄" * 20, "'; DROP TABLE x"]
    records = [CALL | {"event_id": f"h{number}", "user_id": one} for number, one in enumerate(hostile)]
    assert send(token, *records).json()["accepted"] == len(hostile)
    assert set(LlmEvent.objects.values_list("user_id", flat=True)) == set(hostile)


def test_a_thousand_events_are_one_transaction(token: str) -> None:
    answer = send(token, *[CALL | {"event_id": f"e{number}"} for number in range(1000)])
    assert answer.json()["accepted"] == 1000
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT shipment) FROM telemetry_llm_events")
        assert cursor.fetchone() == (1,)


def test_the_refusals_are_json_a_program_can_read(token: str) -> None:
    body = json.loads(send("wrong", CALL).content)
    assert set(body["error"]) >= {"code", "message", "remedy"}
