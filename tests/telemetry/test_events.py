"""The rules of events: what passes, what is refused, and that nothing else ever happens."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from telemetry import events
from telemetry.cleaning import checked
from telemetry.events import EVENT_KINDS, JOB_COLUMNS, LLM_COLUMNS, InvalidEvent, clean_job, clean_llm
from telemetry.models import JobEvent, LlmEvent
from telemetry.ship import ship

LLM_RULES = partial(checked, events.LLM_FIELDS, derive=events.derive_llm, agree=events.agree_llm)
JOB_RULES = partial(checked, events.JOB_FIELDS, derive=events.derive_job, agree=events.agree_job)
NOW = datetime(2026, 11, 22, 12, 0, 0, 250, tzinfo=UTC)
CALL: dict[str, Any] = {
    "user_id": "u1",
    "tier": "pro",
    "llm_model": "gpt-4o-mini",
    "context_type": "chat",
    "input_tokens": 5,
    "output_tokens": 7,
    "created_at": NOW,
}
JOB: dict[str, Any] = {
    "job_type": "sync",
    "user_id": "u1",
    "tier": "pro",
    "domain": "billing",
    "success": True,
    "created_at": NOW,
}


def llm(**values: Any) -> dict[str, Any]:
    return dict(zip(LLM_COLUMNS, clean_llm(CALL | values, now=NOW), strict=True))


def job(**values: Any) -> dict[str, Any]:
    return dict(zip(JOB_COLUMNS, clean_job(JOB | values, now=NOW), strict=True))


def refusal(**values: Any) -> tuple[str, str]:
    """Return the column and the reason that a call is refused for, or a job if a column says so."""
    for_jobs = any(name not in LLM_COLUMNS and name in JOB_COLUMNS for name in values)
    with pytest.raises(InvalidEvent) as caught:
        job(**values) if for_jobs else llm(**values)
    assert str(caught.value) == caught.value.reason
    return caught.value.column, caught.value.reason


def test_a_row_is_in_the_order_of_the_tables_columns() -> None:
    left_out = {"id", "pk", "received_at", "shipment"}
    for columns, model in ((JOB_COLUMNS, JobEvent), (LLM_COLUMNS, LlmEvent)):
        fields = [field for field in model._meta.concrete_fields if field.name not in left_out]
        assert list(columns) == [field.name for field in fields]
        kind = next(kind for kind in EVENT_KINDS.values() if kind.table == model._meta.db_table)
        for rule, field in zip(kind.fields.values(), fields, strict=True):
            assert getattr(rule, "most", None) == field.max_length or field.max_length is None
            assert (rule.default is None) == field.null


def test_what_is_not_given_gets_its_default() -> None:
    defaults = {"cache_hit": False, "success": True, "error_code": None, "domain": "", "provider": ""}
    assert defaults.items() <= llm().items()
    assert llm(domain=None, cached_input_tokens=None) == llm()
    assert {"attempt": 1, "rows_read": 0, "cpu_ms": 0, "mem_is_process": False}.items() <= job().items()
    assert llm(error_code="Timeout")["success"] is False
    assert llm(error_code="Retried", success=True)["success"] is True


def test_the_moments_of_a_job_tell_the_rest() -> None:
    started, finished = NOW - timedelta(seconds=2), NOW
    row = job(
        queued_at=started - timedelta(seconds=3), started_at=started, finished_at=finished, created_at=None
    )
    assert (row["duration_ms"], row["queue_wait_ms"], row["created_at"]) == (2000, 3000, finished)
    assert job(started_at=started, duration_ms=500, created_at=None)["created_at"] == NOW - timedelta(
        seconds=1.5
    )
    given_wins = job(started_at=started, finished_at=finished, duration_ms=1, created_at=started)
    assert (given_wins["duration_ms"], given_wins["created_at"]) == (1, started)
    column, reason = refusal(job_type="sync", success=True, created_at=None)
    assert (column, reason.startswith("created_at is missing: give it, or finished_at")) == (
        "created_at",
        True,
    )


@pytest.mark.parametrize(
    "name", ["user_id", "tier", "llm_model", "context_type", "input_tokens", "created_at"]
)
def test_a_missing_column_is_named(name: str) -> None:
    assert refusal(**{name: None}) == (name, f"{name} is missing, an event must have it")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "'; DROP TABLE x;--",
        "مرحبا \u202e",
        "👩‍⚕️",
        "a  b",
        "=1+1",
        "\\N",
        "x" * 40,
        "Ω" * 40,
    ],
)
def test_hostile_and_foreign_text_is_legal(text: str) -> None:
    assert llm(user_id=text)["user_id"] == text


@pytest.mark.parametrize("key", [7, -1, 0, 10**39, UUID("0190a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b")])
def test_a_primary_key_is_taken_as_its_text(key: int | UUID) -> None:
    assert llm(user_id=key, job_id=key)["user_id"] == str(key)
    assert llm(user_id=key, job_id=key)["job_id"] == str(key)
    assert refusal(tier=key)[0] == "tier"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * 57, "user_id is 57 characters long, the most is 40"),
        ("", "user_id is empty, give 1 to 40 characters"),
        ("a\0b", "user_id holds the control character U+0000 at place 2, remove it"),
        ("a\x85", "user_id holds the control character U+0085 at place 2, remove it"),
        ("\ud800", "user_id holds the control character U+D800 at place 1, remove it"),
        (" a", "user_id begins or ends with white space, remove it"),
        ("a\u2003", "user_id begins or ends with white space, remove it"),
        (" ", "user_id begins or ends with white space, remove it"),
        (True, "user_id is true or false, give it as text"),
        (7.0, "user_id is a number, give it as text"),
        pytest.param(10**5000, "user_id is 41 characters long, the most is 40", id="huge"),
        pytest.param(-(10**5000), "user_id is 42 characters long, the most is 40", id="hugely negative"),
        (b"a", "user_id is bytes, give it as text"),
        (["a"], "user_id is of type list, give it as text"),
    ],
)
def test_a_bad_text_is_refused_with_what_to_mend(text: object, reason: str) -> None:
    assert refusal(user_id=text) == ("user_id", reason)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (-1, "is -1, the least is 0"),
        (2**31, "is 2147483648, the most is 2147483647"),
        (10**4000, "is about 10^4000, the most is 2147483647"),
        (1.5, "is 1.5, give a whole number"),
        (float("nan"), "is nan, give a whole number"),
        (float("inf"), "is inf, give a whole number"),
        (True, "is true or false, give a whole number"),
        ("5", "is text, give a whole number"),
        (Decimal(5), "is of type Decimal, give a whole number"),
    ],
)
def test_a_bad_number_is_refused_with_what_to_mend(number: object, reason: str) -> None:
    assert refusal(input_tokens=number) == ("input_tokens", f"input_tokens {reason}")


def test_absurd_figures_are_refused_before_their_sums_overflow() -> None:
    for name, most in (
        ("duration_ms", events.TEN_YEARS_MS),
        ("cpu_ms", 1000 * 366 * 86_400_000),
        ("rows_read", 10**12),
    ):
        assert job(**{name: most})[name] == most
        assert refusal(job_type="x", **{name: most + 1})[0] == name
        assert most * 250_000 < 2**63
    assert refusal(attempt=0) == ("attempt", "attempt is 0, the least is 1")


def test_numbers_and_texts_come_out_as_plain_ones() -> None:
    class Tier(StrEnum):
        PRO = "pro"

    class Size(IntEnum):
        SMALL = 5

    row = llm(tier=Tier.PRO, input_tokens=Size.SMALL, output_tokens=12.0)
    assert [(type(row[name]), row[name]) for name in ("tier", "input_tokens", "output_tokens")] == [
        (str, "pro"),
        (int, 5),
        (int, 12),
    ]


def test_a_time_in_any_zone_comes_out_in_utc() -> None:
    for zone in (timezone(timedelta(hours=-9, minutes=-30)), ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")):
        created_at = llm(created_at=NOW.astimezone(zone))["created_at"]
        assert (created_at, created_at.tzinfo) == (NOW, UTC)
    twice = datetime(2025, 10, 26, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert llm(created_at=twice.replace(fold=0))["created_at"].hour == 0
    assert llm(created_at=twice.replace(fold=1))["created_at"].hour == 1


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (datetime(2026, 1, 1), "names no time zone, give one (Z for UTC)"),  # noqa: DTZ001 - that is what is refused
        (
            datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
            "is 1999-12-31T23:59:59Z, the earliest is 2000-01-01",
        ),
        (
            NOW + timedelta(minutes=5, microseconds=1),
            "is a future time (2026-11-22T12:05:00Z), check the clock",
        ),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "cannot be read as a time in UTC"),
        ("2026-01-01T00:00:00Z", "is text, give a date and time with a time zone"),
        (NOW.date(), "is of type date, give a date and time with a time zone"),
        (1_700_000_000, "is a number, give a date and time with a time zone"),
    ],
)
def test_a_bad_time_is_refused_with_what_to_mend(moment: object, reason: str) -> None:
    column, words = refusal(created_at=moment)
    assert column == "created_at"
    assert words.startswith(f"created_at {reason}")


def test_a_clock_five_minutes_ahead_is_borne() -> None:
    assert llm(created_at=NOW + timedelta(minutes=5))


def test_parts_larger_than_their_whole_are_refused() -> None:
    assert refusal(cached_input_tokens=6) == (
        "cached_input_tokens",
        "cached_input_tokens is 6, more than input_tokens (5), which include them",
    )
    assert refusal(reasoning_tokens=8)[0] == "reasoning_tokens"
    assert llm(cached_input_tokens=5, reasoning_tokens=7)


def test_moments_that_run_backwards_are_refused() -> None:
    later = NOW + timedelta(seconds=1)
    assert refusal(started_at=later, finished_at=NOW) == (
        "finished_at",
        "finished_at is before started_at, check both",
    )
    assert refusal(queued_at=later, started_at=NOW)[0] == "started_at"
    assert refusal(queued_at=later, finished_at=NOW)[0] == "finished_at"
    assert job(queued_at=NOW, started_at=NOW, finished_at=NOW)["duration_ms"] == 0


@pytest.mark.parametrize("name", ["color", "id", "shipment", "received_at", "job_type", "a\nb" * 99])
def test_an_unknown_column_is_refused_by_name_with_the_known_ones_listed(name: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        clean_llm({**CALL, name: None}, now=NOW)
    assert caught.value.column == ascii(name)[1:-1][:60]
    assert "the columns are user_id, tier, llm_model" in caught.value.reason
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize("whole", [None, 7, "text", ["user_id"], object()])
def test_what_is_no_mapping_is_refused(whole: Any) -> None:
    with pytest.raises(InvalidEvent, match="not a mapping"):
        clean_llm(whole, now=NOW)


def test_any_mapping_will_do_and_is_left_as_it_was() -> None:
    given_values = dict(CALL)
    assert clean_llm(MappingProxyType(given_values), now=NOW) == clean_llm(CALL, now=NOW)
    assert given_values == CALL


# Values that hit the rules' edges more often than chance would.
EDGES = [
    0,
    1,
    -1,
    2**31 - 1,
    2**31,
    2**63,
    10**12,
    events.TEN_YEARS_MS,
    12.0,
    True,
    None,
    "",
    " ",
    "a\0",
    "\ud800",
    "\x85",
]
moments = st.datetimes(timezones=st.none() | st.timezones()) | st.datetimes(
    NOW.replace(tzinfo=None) - timedelta(days=300), NOW.replace(tzinfo=None), timezones=st.just(UTC)
)
anything = (
    st.sampled_from(EDGES)
    | st.integers()
    | st.floats()
    | st.text(max_size=70)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.binary(max_size=4)
    | moments
    | st.lists(st.integers(), max_size=2)
    | st.decimals()
    | st.timedeltas()
)


def events_like(base: dict[str, Any], columns: tuple[str, ...]) -> st.SearchStrategy[dict[Any, Any]]:
    """Events with some columns replaced by anything, some left out, now and then one nobody knows."""
    names = st.sampled_from(columns)
    replaced = st.dictionaries(names | st.text(max_size=5) | st.integers(), anything, max_size=3)
    sensible = st.fixed_dictionaries({}, optional={name: sensible_values(name) for name in columns})
    return st.tuples(sensible, replaced).map(lambda pair: base | pair[0] | pair[1])


def sensible_values(name: str) -> st.SearchStrategy[Any]:
    """Values a column of this name may well take."""
    if name.endswith("_at"):
        return moments
    if name in {"success", "cache_hit", "mem_is_process"}:
        return st.booleans()
    if name.endswith(("_ms", "_tokens", "_read", "_written", "_peak")) or name == "attempt":
        return st.integers(0, 2**31 - 1)
    return st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=16)


def outcome(clean: Any, event: dict[Any, Any]) -> Any:
    try:
        return clean(event, now=NOW)
    except InvalidEvent as error:
        return error.column, error.reason


@given(events_like(CALL, LLM_COLUMNS))
@example(CALL | {"user_id": "a\u200db"})
@example(CALL | {"input_tokens": True})
def test_the_quick_way_for_calls_agrees_with_the_rules(event: dict[Any, Any]) -> None:
    assert outcome(clean_llm, event) == outcome(LLM_RULES, event)


@given(events_like(JOB, JOB_COLUMNS))
@example(JOB | {"started_at": NOW, "finished_at": NOW - timedelta(hours=1)})
def test_the_quick_way_for_jobs_agrees_with_the_rules(event: dict[Any, Any]) -> None:
    assert outcome(clean_job, event) == outcome(JOB_RULES, event)


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(events_like(CALL, LLM_COLUMNS), max_size=8), st.lists(events_like(JOB, JOB_COLUMNS), max_size=8)
)
def test_postgresql_takes_every_event_that_passes(
    calls: list[dict[Any, Any]], jobs: list[dict[Any, Any]]
) -> None:
    for kind, clean, given_events in (("llm", clean_llm, calls), ("job", clean_job, jobs)):
        rows = [row for row in (outcome(clean, event) for event in given_events) if len(row) > 2]
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {EVENT_KINDS[kind].table}")
        ship(kind, rows)
        model: Any = {"llm": LlmEvent, "job": JobEvent}[kind]
        assert list(model.objects.order_by("id").values_list(*EVENT_KINDS[kind].columns)) == rows
