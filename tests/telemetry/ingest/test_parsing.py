"""NDJSON lines: what becomes an event, what is refused in which words, and that nothing breaks it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.events import EVENT_KINDS
from telemetry.ingest.parsing import EVENTS_MOST, Event, Rejection, TooManyEventsError, parsed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CALL = {
    "event_id": "e1", "kind": "llm", "user_id": "u", "tier": "pro", "llm_model": "m", "context_type": "c",
    "input_tokens": 5, "output_tokens": 3,
}  # fmt: skip
JOB = {
    "event_id": "e1", "kind": "job", "user_id": "u", "tier": "pro", "domain": "d", "job_type": "j",
    "success": True,
}  # fmt: skip


def lines(*records: dict[str, Any] | str) -> bytes:
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in records).encode()


def event(record: dict[str, Any]) -> Event:
    found = parsed(lines(record), now=NOW)
    assert found.rejected == []
    return found.events[0]


def rejection(record: dict[str, Any] | str) -> Rejection:
    found = parsed(lines(record), now=NOW)
    assert found.events == []
    return found.rejected[0]


def value(found: Event, column: str) -> Any:
    return found.row[EVENT_KINDS[found.kind].columns.index(column)]


def test_an_event_without_a_time_is_created_now() -> None:
    assert value(event(CALL), "created_at") == NOW
    assert value(event(JOB), "created_at") == NOW


def test_a_job_is_created_when_it_ended() -> None:
    ended = {"started_at": "2026-06-01T11:00:00Z", "finished_at": "2026-06-01T13:30:00+02:00"}
    assert value(event(JOB | ended), "created_at") == datetime(2026, 6, 1, 11, 30, tzinfo=UTC)
    assert value(event(JOB | ended), "duration_ms") == 1_800_000


def test_the_time_that_a_client_gives_is_kept() -> None:
    assert value(event(CALL | {"created_at": "2026-05-01T00:00:00.25Z"}), "created_at") == datetime(
        2026, 5, 1, 0, 0, 0, 250_000, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("created_at", "said"),
    [
        ((NOW + timedelta(minutes=6)).isoformat(), "future"),
        ((NOW - timedelta(days=91)).isoformat(), "import_events"),
        ("1999-01-01T00:00:00Z", "the earliest is 2000"),
        ("2026-06-01T12:00:00", "no time zone"),
        ("2026-02-30T12:00:00Z", "does not exist"),
        ("0001-01-01T00:00:00+14:00", "does not exist"),
        ("yesterday", "not an ISO 8601 time"),
        (1780000000, "a date and time"),
        ("٢٠٢٦-06-01T12:00:00Z", "not an ISO 8601 time"),
    ],
)
def test_a_time_out_of_bounds_is_refused(created_at: Any, said: str) -> None:
    refused = rejection(CALL | {"created_at": created_at})
    assert refused.field == "created_at"
    assert said in refused.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_id": None}, "event_id"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 65}, "event_id"),
        ({"event_id": "a\u0000b"}, "event_id"),
        ({"event_id": "a\ud800"}, "event_id"),
        ({"event_id": 7}, "event_id"),
        ({"kind": "sms"}, "kind"),
        ({"kind": None}, "kind"),
        ({"kind": ["llm"]}, "kind"),
        ({"user_id": "a\u0000b"}, "user_id"),
        ({"user_id": "\ud800"}, "user_id"),
        ({"user_id": {"nested": []}}, "user_id"),
        ({"input_tokens": -1}, "input_tokens"),
        ({"input_tokens": 2**31}, "input_tokens"),
        ({"input_tokens": 1.5}, "input_tokens"),
        ({"input_tokens": "5"}, "input_tokens"),
        ({"input_tokens": True}, "input_tokens"),
        ({"input_tokens": 10**300}, "input_tokens"),
        ({"success": 1}, "success"),
        ({"cached_input_tokens": 6}, "cached_input_tokens"),
        ({"jobtype": "x"}, "jobtype"),
        ({"id": 1}, "id"),
        ({"received_at": "2026-06-01T00:00:00Z"}, "received_at"),
    ],
)
def test_a_line_that_breaks_a_rule_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    assert rejection(CALL | change).field == field


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 50_000, "nested too deeply"),
        ('{"user_id":"a","user_id":"b"}', "the key 'user_id' comes twice"),
        ('{"input_tokens":NaN}', "NaN is not a JSON value"),
        ('{"input_tokens":-Infinity}', "-Infinity is not a JSON value"),
        ('{"input_tokens":' + "9" * 5000 + "}", "not usable JSON"),
        ("x" * 1_100_000, "bytes long"),
    ],
)
def test_a_line_that_is_no_json_object_is_refused(line: str, said: str) -> None:
    refused = rejection(line)
    assert said in refused.message
    assert (refused.line, refused.field, refused.event_id) == (1, "", None)


def test_a_line_that_is_not_utf8_costs_itself_only() -> None:
    found = parsed(b"\xff\xfe\n" + lines(CALL), now=NOW)
    assert [one.line for one in found.rejected] == [1]
    assert [one.line for one in found.events] == [2]


def test_lines_are_counted_with_the_blank_ones() -> None:
    found = parsed(lines("", CALL, " ", "{", CALL | {"event_id": "e2"}), now=NOW)
    assert [one.line for one in found.events] == [2, 5]
    assert [one.line for one in found.rejected] == [4]


def test_a_thousand_lines_are_taken_and_one_more_is_too_many() -> None:
    many = [CALL | {"event_id": f"e{number}"} for number in range(EVENTS_MOST)]
    assert len(parsed(lines(*many), now=NOW).events) == EVENTS_MOST
    with pytest.raises(TooManyEventsError):
        parsed(lines(*many, "{"), now=NOW)


def test_the_same_said_in_another_way_has_the_same_digest() -> None:
    first = event(CALL | {"created_at": "2026-06-01T10:00:00Z", "duration_ms": 12})
    other = dict(reversed(list(CALL.items()))) | {
        "created_at": "2026-06-01T12:00:00.000+02:00", "duration_ms": 12.0, "job_id": None,
    }  # fmt: skip
    assert event(other).digest == first.digest
    assert event(CALL | {"created_at": "2026-06-01T10:00:01Z", "duration_ms": 12}).digest != first.digest


def test_the_digest_is_of_what_was_said_and_not_of_when_it_came() -> None:
    later = parsed(lines(CALL), now=NOW + timedelta(hours=1)).events[0]
    assert later.digest == event(CALL).digest
    assert later.row != event(CALL).row


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["event_id", "kind", *CALL, *EVENT_KINDS["job"].columns, *EVENT_KINDS["llm"].columns])


@given(st.lists(st.dictionaries(names | st.text(max_size=8), json_values, max_size=12), max_size=5))
def test_any_json_is_either_taken_or_refused_line_by_line(records: list[dict[str, Any]]) -> None:
    found = parsed(lines(*records), now=NOW)
    told = sorted([one.line for one in found.events] + [one.line for one in found.rejected])
    assert told == list(range(1, len(records) + 1))
    json.dumps([[one.event_id, one.field, one.message] for one in found.rejected]).encode("ascii")


@given(st.sampled_from([CALL, JOB]), names, json_values)
def test_any_value_in_a_good_event_is_taken_or_refused(good: dict[str, Any], name: str, odd: Any) -> None:
    found = parsed(lines(good | {name: odd}), now=NOW)
    assert len(found.events) + len(found.rejected) == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_break_nothing(data: bytes) -> None:
    assert parsed(data, now=NOW).events == []
