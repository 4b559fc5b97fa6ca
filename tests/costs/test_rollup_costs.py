"""`manage.py rollup_costs`: which days it takes, what it prints, what it refuses and how."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from pytest_django import Settings

from costs.checks import check_cost_zone
from costs.models import CostDay, CostGlobalDaily, UsageHourly, UsageWaitDaily
from costs.rollup import lease
from costs.usage import adopt_zone
from telemetry.models import DroppedPartition, Shipment
from tests.costs.events import at, call, execute, job, partials, store

pytestmark = pytest.mark.django_db(transaction=True)

NOON = at("2024-05-10 12:00")
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rollup_costs", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def days_printed(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("--json", *arguments).splitlines()]


def refusal(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--date", "2026-02-30"], "no such day"),
        (["--date", "yesterday"], "no such day"),
        (["--date", ""], "no such day"),
        (["--date", "2024-05-11"], "in the future, the newest day is 2024-05-10"),
        (["--from", "2024-05-09", "--to", "2024-05-08"], "swap them"),
        (["--from", "2024-05-09", "--to", "2024-05-11"], "in the future"),
        (["--from", "2024-05-09"], "go together"),
        (["--to", "2024-05-09"], "go together"),
        (["--from", "1990-01-01", "--to", "2024-05-09"], "at most 3660"),
        (["--days", "0"], "from 1 to 3660"),
        (["--days", "-3"], "from 1 to 3660"),
        (["--days", "3661"], "from 1 to 3660"),
        (["--days", "9" * 5000], "from 1 to 3660"),
        (["--days", "٣"], "from 1 to 3660"),
        (["--days", "7", "--date", "2024-05-09"], "not by several"),
        (["--date", "2024-05-09", "--from", "2024-05-09", "--to", "2024-05-09"], "not by several"),
    ],
)
def test_days_that_cannot_be_are_refused_in_one_line_with_exit_code_2(
    arguments: list[str], words: str
) -> None:
    error = refusal(*arguments)
    assert words in str(error)
    assert error.returncode == 2


def test_without_a_choice_it_takes_what_changed_and_what_is_due() -> None:
    store(job("2024-05-10 10:00"), job("2013-01-05 10:00"))
    lines = run().splitlines()
    assert [line[:10] for line in lines] == ["2013-01-05", "2024-05-10"]
    assert not Shipment.objects.exists()
    assert run() == "Every day is up to date.\n"


def test_a_day_a_range_and_the_last_days_are_taken_oldest_first() -> None:
    assert [day["date"] for day in days_printed("--date", "2024-05-01")] == ["2024-05-01"]
    ranged = days_printed("--from", "2024-04-30", "--to", "2024-05-02")
    assert [day["date"] for day in ranged] == ["2024-04-30", "2024-05-01", "2024-05-02"]
    assert [day["date"] for day in days_printed("--days", "2")] == ["2024-05-09", "2024-05-10"]


def test_json_is_one_object_a_line_with_exact_money_as_strings() -> None:
    store(call("2024-05-09 10:00", input_tokens=22_361_870, output_tokens=4_088_665))
    (day,) = days_printed("--date", "2024-05-09")
    tier = {"jobs": 0, "ai_calls": 1, "cpu_ms": 0, "tokens_in": 22_361_870, "tokens_out": 4_088_665}
    money = {"cost_usd": "5.807480", "cost_exact": "5.8074795"}
    assert day == {"date": "2024-05-09", "users": 1, **tier, **money, "tiers": {"pro": tier | money}}


def test_a_line_for_people_says_what_the_day_cost() -> None:
    store(job("2024-05-09 10:00", cpu_ms=10**9))
    assert run("--date", "2024-05-09") == (
        "2024-05-09: $20.000000 (1 users, 1 jobs, 0 calls, 0 tokens in, 0 out)\n"
    )


def test_a_dry_run_says_so_and_keeps_nothing() -> None:
    store(job("2024-05-09 10:00", cpu_ms=10**9))
    assert run("--date", "2024-05-09", "--dry-run").endswith("not kept\n")
    assert not CostGlobalDaily.objects.exists()
    assert CostDay.objects.get(date=date(2024, 5, 9)).dirty_at is not None


def test_from_raw_rebuilds_the_usage() -> None:
    store(job("2024-05-09 10:00", cpu_ms=7))
    run()
    execute("UPDATE usage_daily SET cpu_ms = 1")
    assert days_printed("--date", "2024-05-09", "--from-raw")[0]["cpu_ms"] == 7


def test_days_whose_raw_rows_are_gone_are_named_and_the_others_done() -> None:
    store(job("2024-05-07 10:00"), job("2024-05-09 10:00"))
    run()
    for day in ("2024-05-07", "2024-05-08"):
        lower = at(f"{day} 00:00")
        DroppedPartition.objects.create(
            table_name="telemetry_job_events", lower_at=lower, upper_at=lower + timedelta(days=1)
        )
    error = refusal("--from", "2024-05-07", "--to", "2024-05-09", "--from-raw")
    assert "2024-05-07, 2024-05-08" in str(error)
    assert error.returncode == 1
    assert set(CostGlobalDaily.objects.values_list("date", "jobs")) >= {
        (date(2024, 5, 7), 1),
        (date(2024, 5, 9), 1),
    }


def test_a_day_that_stays_busy_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costs.management.commands.rollup_costs.BUSY_WAIT_S", 0)
    lease.claim(TODAY)
    error = refusal("--date", str(TODAY))
    assert "being rolled up by another process" in str(error)
    assert error.returncode == 1


def test_another_zone_is_refused_until_everything_is_counted_again_by_it(settings: Settings) -> None:
    # Half past six in the evening of UTC is midnight in Kolkata, in the middle of an hour of UTC.
    store(job("2024-05-08 18:20", queue_wait_ms=5), job("2024-05-08 18:40"), job("2013-01-05 18:40"))
    run()
    settings.COST_TIMEZONE = "Asia/Kolkata"
    error = refusal("--date", "2024-05-08")
    assert "run `manage.py rollup_costs --rebuild-timezone`" in str(error)
    run("--rebuild-timezone")
    assert dict(CostGlobalDaily.objects.filter(jobs__gt=0).values_list("date", "jobs")) == {
        date(2013, 1, 6): 1,
        date(2024, 5, 8): 1,
        date(2024, 5, 9): 1,
    }
    assert list(UsageWaitDaily.objects.values_list("day", "waits")) == [(date(2024, 5, 8), 1)]
    assert {row.hour.minute for row in UsageHourly.objects.all()} == {30}
    assert run() != ""
    assert days_printed("--date", "2024-05-09")[0]["jobs"] == 1


def test_a_change_of_zone_broken_off_before_the_rollup_is_repeated_without_loss(settings: Settings) -> None:
    store(job("2024-05-08 18:20"), job("2024-05-08 18:40"), job("2013-01-05 18:40"))
    run()
    settings.COST_TIMEZONE = "Asia/Kathmandu"
    adopt_zone()
    counted = partials()
    adopt_zone()
    assert partials() == counted
    run()
    assert sum(CostGlobalDaily.objects.values_list("jobs", flat=True)) == 3


def test_a_change_of_zone_keeps_days_whose_raw_rows_are_gone(settings: Settings) -> None:
    store(job("2024-05-08 10:00", cpu_ms=7), job("2024-05-08 23:00", cpu_ms=5))
    run()
    DroppedPartition.objects.create(
        table_name="telemetry_job_events", lower_at=at("2024-05-08 00:00"), upper_at=at("2024-05-09 00:00")
    )
    execute("DELETE FROM telemetry_job_events")
    settings.COST_TIMEZONE = "Europe/Berlin"
    run("--rebuild-timezone")
    assert dict(CostGlobalDaily.objects.filter(jobs__gt=0).values_list("date", "cpu_ms")) == {
        date(2024, 5, 8): 7,
        date(2024, 5, 9): 5,
    }


def test_a_change_of_zone_keeps_a_day_whose_raw_rows_went_before_its_hours_by_user_were_made(
    settings: Settings,
) -> None:
    store(job("2024-05-08 10:00", cpu_ms=7), job("2024-05-07 23:00", cpu_ms=5))
    run()
    DroppedPartition.objects.create(
        table_name="telemetry_job_events", lower_at=at("2024-05-07 00:00"), upper_at=at("2024-05-09 00:00")
    )
    execute("DELETE FROM telemetry_job_events")
    execute("DELETE FROM usage_user_hourly WHERE day = '2024-05-08'")
    settings.COST_TIMEZONE = "Europe/Berlin"
    run("--rebuild-timezone")
    assert dict(CostGlobalDaily.objects.filter(jobs__gt=0).values_list("date", "cpu_ms")) == {
        date(2024, 5, 8): 12
    }


@pytest.mark.parametrize("other", [["--from-raw"], ["--dry-run"], ["--date", "2024-05-08"], ["--days", "3"]])
def test_a_change_of_zone_goes_with_no_other_choice(other: list[str]) -> None:
    assert refusal("--rebuild-timezone", *other).returncode == 2


def test_a_changed_zone_is_a_finding_of_the_system_check(settings: Settings) -> None:
    store(job("2024-05-08 10:00"))
    run()
    assert check_cost_zone(None, databases=["default"]) == []
    settings.COST_TIMEZONE = "Europe/Berlin"
    (finding,) = check_cost_zone(None, databases=["default"])
    assert (finding.id, "kept in UTC" in finding.msg) == ("costs.E001", True)
    assert check_cost_zone(None) == []
