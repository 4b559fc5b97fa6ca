"""The command seed_telemetry, as an operator types it."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from telemetry.models import JobEvent, LlmEvent


def seed_telemetry(*options: str) -> str:
    written = StringIO()
    call_command("seed_telemetry", *options, stdout=written, stderr=StringIO())
    return written.getvalue()


@pytest.mark.django_db
def test_it_fills_empty_tables_once_and_says_what_to_run_next() -> None:
    options = ("--days", "3", "--users", "10", "--end", "2024-06-30")
    said = seed_telemetry(*options)
    events = JobEvent.objects.count() + LlmEvent.objects.count()
    assert f"{events:,} events of 10 users on 3 days up to 2024-06-30" in said
    assert "Next: ./run manage rollup_costs --from 2024-06-28 --to 2024-07-01" in said
    assert "Already seeded on 2" in (again := seed_telemetry(*options))
    assert f": {events:,} events. Nothing was added." in again


@pytest.mark.django_db
def test_it_ends_today_and_now_where_nothing_is_said() -> None:
    found = json.loads(seed_telemetry("--days", "2", "--users", "60", "--json"))
    assert found["end"] == datetime.now(UTC).date().isoformat()
    assert found["added"] == found["events"] > 100
    assert not LlmEvent.objects.filter(created_at__gt=datetime.now(UTC)).exists()
    assert LlmEvent.objects.filter(created_at__gt=datetime.now(UTC) - timedelta(days=2)).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--users", "0"], "--users 0"),
        (["--users", "-5"], "--users -5"),
        (["--days", "0"], "--days 0"),
        (["--days", "99999999999"], "--days 99999999999"),
        (["--end", "2026-02-30"], "--end '2026-02-30': give a date such as"),
        (["--end", "9999-12-31"], "that day has not come yet"),
        (["--end", "0001-01-01"], "before 2000"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(options: list[str], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        seed_telemetry(*options)
    assert caught.value.returncode == 2
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not JobEvent.objects.exists()
