"""The synthetic day: exact numbers, all within the day, and the same events in every run."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from benchmarks import days
from benchmarks.database import empty, value
from benchmarks.figures import Bench
from benchmarks.sizes import TINY

DAY = date(2026, 3, 4)
BENCH = Bench(TINY, lambda line: None)
CONTENT = """
SELECT md5(string_agg(concat_ws('|', created_at, user_id, tier, llm_model, input_tokens), ','
    ORDER BY created_at))
FROM telemetry_llm_events
"""


@pytest.fixture
def filled(transactional_db: None) -> None:
    days.filled_day(BENCH, DAY, 5_000)


@pytest.mark.parametrize("events", [0, 1, 7, 999, 10_000_000])
def test_the_hours_of_a_day_add_up_exactly(events: int) -> None:
    assert sum(days.by_hour(events)) == events
    assert len(days.by_hour(events)) == 24


def test_a_day_has_exactly_the_events_asked_for_and_none_outside(filled: None) -> None:
    bounds = [datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)]
    for kind, share in (("llm", 0.7), ("job", 0.3)):
        inside = f"SELECT count(*) FROM telemetry_{kind}_events WHERE created_at >= %s AND created_at < %s"
        assert (
            value(inside, bounds) == value(f"SELECT count(*) FROM telemetry_{kind}_events") == 5_000 * share
        )


def test_a_filled_day_is_left_alone_and_waits_for_no_fold(filled: None) -> None:
    days.filled_day(BENCH, DAY, 5_000)
    assert value("SELECT count(*) FROM telemetry_llm_events") == 3_500
    assert value("SELECT count(*) FROM telemetry_shipments") == 0


def test_the_same_events_come_in_every_run(filled: None) -> None:
    before = value(CONTENT)
    empty("telemetry_llm_events", "telemetry_job_events")
    days.filled_day(BENCH, DAY, 5_000)
    assert value(CONTENT) == before


def test_few_users_do_much_and_every_user_has_one_tier(filled: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT tier) FROM telemetry_llm_events GROUP BY user_id ORDER BY 1 DESC"
        )
        users = cursor.fetchall()
    assert {tiers for _, tiers in users} == {1}
    assert users[0][0] > 20 * users[-1][0]


def test_the_last_stretch_is_marked_for_the_fold(filled: None) -> None:
    days.add_last_stretch(BENCH, DAY, timedelta(minutes=2), seed=0.1)
    assert value("SELECT count(*) FROM telemetry_shipments") == 2
    assert value("SELECT min(first_created_at) FROM telemetry_shipments") >= datetime(
        2026, 3, 4, 23, 58, tzinfo=UTC
    )
    assert value("SELECT max(last_created_at) FROM telemetry_shipments") < datetime(2026, 3, 5, tzinfo=UTC)
