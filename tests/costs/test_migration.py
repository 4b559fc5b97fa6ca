"""A database that holds usage keeps all of it when hours by user become a table of their own, and back."""

from datetime import date

import pytest

from costs.usage import fold_pending
from tests.costs.events import at, execute, job, rows_of, store
from tests.migrating import migrated_to

pytestmark = pytest.mark.django_db(transaction=True)

BY_USER = """
INSERT INTO usage_hourly (day, hour, user_id, tier, domain, model, jobs, cpu_ms, last_event_at)
SELECT '2024-05-04', '2024-05-04 10:00Z', name, 'pro', 'sync', '', 2, 7, '2024-05-04 10:30Z'
FROM unnest(%s::text[]) AS name"""
HOURS = "day, hour, tier, domain, model, jobs, cpu_ms, last_event_at"
HOUR = (date(2024, 5, 4), at("2024-05-04 10:00"), "pro", "sync", "")


def test_usage_by_hour_and_user_outlives_the_migration_both_ways() -> None:
    with migrated_to("costs", "0006_hours"):
        execute(BY_USER, ["ada", "bob"])
    assert rows_of("usage_hourly", HOURS) == [(*HOUR, 4, 14, at("2024-05-04 10:30"))]
    store(job("2024-05-04 10:40", cpu_ms=1))
    fold_pending()
    assert rows_of("usage_hourly", HOURS) == [(*HOUR, 5, 15, at("2024-05-04 10:40"))]
    by_user = [("ada", 3, 8), ("bob", 2, 7)]
    assert rows_of("usage_user_hourly", "user_id, jobs, cpu_ms") == by_user
    with migrated_to("costs", "0006_hours"):
        assert rows_of("usage_hourly", "user_id, jobs, cpu_ms") == by_user
