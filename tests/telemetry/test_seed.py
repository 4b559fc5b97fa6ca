"""Synthetic weeks: the same for the same arguments, and like a product's month."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import pytest

from telemetry import seed as seeding
from telemetry.events import EVENT_KINDS, Row
from telemetry.models import Import, JobEvent, LlmEvent
from telemetry.seed import SeedError, Span, days_of, incident_day, seed
from telemetry.ship import ship

NOW = datetime(2024, 6, 30, 15, 20, tzinfo=UTC)
MONTH = Span(days=30, users=60, seed=7, ends_on=date(2024, 6, 30))


@pytest.fixture(scope="module")
def month() -> dict[str, list[dict[str, Any]]]:
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for made in days_of(MONTH, now=NOW):
        for kind, rows in made.items():
            events[kind] += [named(kind, row) for row in rows]
    return events


def named(kind: str, row: Row) -> dict[str, Any]:
    return dict(zip(EVENT_KINDS[kind].columns, row, strict=True))


def silent(phase: str, done: int, total: int | None) -> None:
    """Report nothing."""


def test_the_same_arguments_make_the_same_events_to_the_byte() -> None:
    span = Span(days=3, users=40, seed=3, ends_on=date(2024, 6, 30))
    assert repr(list(days_of(span, now=NOW))) == repr(list(days_of(span, now=NOW)))


def test_another_seed_makes_other_events() -> None:
    first, second = (Span(days=1, users=40, seed=number, ends_on=date(2024, 6, 28)) for number in (1, 2))
    assert repr(list(days_of(first, now=NOW))) != repr(list(days_of(second, now=NOW)))


def test_a_day_is_the_same_whether_or_not_the_days_before_it_were_made() -> None:
    assert repr(list(days_of(MONTH, now=NOW))[25:]) == repr(list(days_of(MONTH, now=NOW, first=25)))


def test_today_goes_up_to_now_and_nothing_is_in_the_future(month: dict[str, list[dict[str, Any]]]) -> None:
    latest = max(event["created_at"] for kind in month for event in month[kind])
    assert NOW - timedelta(minutes=30) < latest <= NOW


def test_nothing_comes_after_the_last_day_of_a_span_that_is_over() -> None:
    span = Span(days=2, users=60, seed=1, ends_on=date(2024, 6, 1))
    moments = [row[-1] for made in days_of(span, now=NOW) for rows in made.values() for row in rows]
    assert max(moments) <= datetime(2024, 6, 2, tzinfo=UTC)


def test_week_days_are_busy_and_nights_and_week_ends_are_not(month: dict[str, list[dict[str, Any]]]) -> None:
    by_day = Counter(event["created_at"].date() for event in month["job"])
    week = [count for day, count in by_day.items() if day.weekday() < 5]
    end = [count for day, count in by_day.items() if day.weekday() >= 5 and day < NOW.date()]
    assert median(week) > 2 * median(end)
    by_hour = Counter(event["created_at"].hour for event in month["job"])
    assert by_hour[15] > 1.5 * by_hour[3]


def test_a_few_large_users_carry_much_of_it(month: dict[str, list[dict[str, Any]]]) -> None:
    by_user = sorted(Counter(event["user_id"] for event in month["llm"]).values(), reverse=True)
    assert sum(by_user[:6]) > 0.3 * sum(by_user)


def test_tiers_domains_and_models_are_all_there(month: dict[str, list[dict[str, Any]]]) -> None:
    assert {event["tier"] for event in month["llm"]} == {"free", "pro", "enterprise"}
    domains = {"ai", "rating", "sync", "messaging", "reports", "payments"}
    assert {event["domain"] for event in month["job"]} == domains
    assert {event["provider"] for event in month["llm"]} == {"openai", "anthropic", "local"}


def test_the_free_tier_moves_to_a_smaller_model_in_the_middle(month: dict[str, list[dict[str, Any]]]) -> None:
    free = [event for event in month["llm"] if event["tier"] == "free"]
    first = min(event["created_at"] for event in free if event["llm_model"] == "gpt-4.1-nano")
    assert first.date() in (date(2024, 6, 16), date(2024, 6, 17))


def test_failed_jobs_are_tried_again_under_the_same_id(month: dict[str, list[dict[str, Any]]]) -> None:
    attempts: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for event in sorted(month["job"], key=lambda event: event["attempt"]):
        attempts[event["job_id"]].append((event["attempt"], event["success"]))
    retried = [tries for tries in attempts.values() if len(tries) > 1]
    assert retried
    assert all(not success for tries in retried for _, success in tries[:-1])
    assert {tries[-1][0] for tries in retried} == {2, 3}


def test_calls_belong_to_jobs_and_skipped_ones_take_no_tokens(month: dict[str, list[dict[str, Any]]]) -> None:
    jobs = {event["job_id"] for event in month["job"]}
    linked = [event for event in month["llm"] if event["job_id"] in jobs]
    assert len(linked) > 0.4 * len(month["llm"])
    skipped = [event for event in month["llm"] if event["cache_hit"]]
    assert 0.04 < len(skipped) / len(month["llm"]) < 0.2
    assert all(event["input_tokens"] == 0 < event["avoided_input_tokens"] for event in skipped)
    assert any(event["cached_input_tokens"] for event in month["llm"])


def test_one_afternoon_has_an_outage(month: dict[str, list[dict[str, Any]]]) -> None:
    number = incident_day(MONTH)
    assert number is not None
    day = MONTH.starts_on + timedelta(days=number)
    then = [
        event for event in month["job"] if event["queued_at"].date() == day and event["queued_at"].hour == 14
    ]
    usual = [event for event in month["job"] if event["queued_at"].date() != day]
    assert rate(then) > 5 * rate(usual)
    assert median(event["queue_wait_ms"] for event in then) > 10 * median(
        event["queue_wait_ms"] for event in usual
    )


def rate(jobs: list[dict[str, Any]]) -> float:
    return sum(not event["success"] for event in jobs) / len(jobs)


def test_user_ids_are_short_and_all_different() -> None:
    users = {row[2] for made in days_of(MONTH, now=NOW) for row in made["job"]}
    assert all(len(user) == 10 and user.startswith("usr_") for user in users)
    assert 40 < len(users) <= 60


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((30, 0, 1), "--users 0: give 1 to"),
        ((30, -3, 1), "--users -3"),
        ((0, 10, 1), "--days 0: give 1 to"),
        ((10**9, 10, 1), "--days 1000000000"),
        ((30, 10**9, 1), "--users 1000000000"),
        ((900, 90_000, 1), "at most 1,000,000 in all"),
    ],
)
def test_absurd_sizes_are_refused(arguments: tuple[int, int, int], said: str) -> None:
    with pytest.raises(SeedError, match=said):
        Span(*arguments, ends_on=date(2024, 6, 30))


def test_a_span_that_would_begin_before_2000_is_refused() -> None:
    for end in (date(2000, 1, 15), date(1, 1, 1)):
        with pytest.raises(SeedError, match="before 2000"):
            Span(30, 10, 1, end)


SMALL = Span(days=3, users=20, seed=5, ends_on=date(2024, 6, 30))


@pytest.mark.django_db
def test_a_second_identical_seed_adds_nothing() -> None:
    stored = seed(SMALL, now=NOW, report=silent).accepted
    assert stored == JobEvent.objects.count() + LlmEvent.objects.count() > 100
    assert (
        seed(SMALL, now=NOW, report=silent).accepted
        == stored
        == JobEvent.objects.count() + LlmEvent.objects.count()
    )


@pytest.mark.django_db
def test_it_begins_again_where_the_tables_were_emptied() -> None:
    stored = seed(SMALL, now=NOW, report=silent).accepted
    JobEvent.objects.all().delete()
    LlmEvent.objects.all().delete()
    assert seed(SMALL, now=NOW, report=silent).accepted == stored
    assert JobEvent.objects.count() + LlmEvent.objects.count() == stored


class UnpluggedError(Exception):
    """Stands for the end of the process."""


@pytest.mark.django_db
def test_a_seed_that_died_goes_on_with_the_day_it_was_at(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sum(len(rows) for made in days_of(SMALL, now=NOW) for rows in made.values())
    shipped: list[str] = []

    def dying(kind: str, rows: list[Row]) -> int:
        shipped.append(kind)
        if len(shipped) == 4:
            raise UnpluggedError
        return ship(kind, rows)

    monkeypatch.setattr(seeding, "ship", dying)
    with pytest.raises(UnpluggedError):
        seed(SMALL, now=NOW, report=silent)
    assert Import.objects.get().line == 1
    assert seed(SMALL, now=NOW, report=silent).accepted == whole
    assert JobEvent.objects.count() + LlmEvent.objects.count() == whole
