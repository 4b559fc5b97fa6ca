"""Heavy work on costs as jobs: what each leaves, that it goes on where it stopped, how a page begins it."""

import csv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings

from costs.budget_page import CAPS
from costs.jobs import (
    ExportPayload,
    Growing,
    RepricePayload,
    SimulationPayload,
    export,
    replay,
    reprice,
)
from costs.models import CostDay
from costs.prices.repricing import preview
from costs.rollup import rollup_costs_for_date
from costs.usage import fold_pending
from healthpilot.dataqueue.kinds import registered
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.work import JobRefusedError, Work
from healthpilot.web.sheets import Sheet
from systemstatus.models import AuditEntry
from tests.costs.events import call, store
from tests.costs.factories import days_ago, make_staff, make_user_day
from tests.costs.prices.rows import store_price
from tests.costs.simulation.test_simulate import FIRST, LAST, two_days
from tests.healthpilot.dataqueue.conftest import recording
from tests.healthpilot.dataqueue.jobs import run_all

__all__ = ["recording"]
T = TypeVar("T")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("fresh_counters", "recording"),
]


def work_of(folder: Path, settings: Settings, kind: str, checkpoint: Any = None) -> Work:
    settings.HEALTHPILOT_VAR = folder
    job = Job.objects.create(kind=kind, tier="pro", user_id="ada", domain="reports", queue_class="heavy")
    return Work(
        id=job.pk, kind=kind, payload={}, tier="pro", user_id="ada", domain="reports", attempt=1,
        batch_size=2, checkpoint=checkpoint, due_at=job.due_at,
    )  # fmt: skip


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_an_export_is_begun_by_a_page_and_leaves_every_row_once(admin: Client) -> None:
    for back in (1, 2):
        for number in range(3):
            make_user_day(days_ago(back), f"=u{number}", "0.125")
    typed = {"from": f"{days_ago(2)}", "to": f"{days_ago(1)}"}
    first, again = (admin.post("/admin/cost/export", typed) for _ in range(2))
    assert first["Location"] == again["Location"]
    run_all()
    job = Job.objects.get()
    result = job.result or {}
    assert (job.state, result["rows"]) == ("succeeded", "6"), job.error_message
    [file] = result["files"]
    answer: Any = admin.get(f"/admin/jobs/{job.pk}/files/{file['name']}")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 7
    assert lines[1].startswith(f"{days_ago(2)},'=u0,pro,")


def test_an_export_that_was_interrupted_goes_on_without_a_row_twice(
    tmp_path: Path, settings: Settings
) -> None:
    for number in range(5):
        make_user_day(days_ago(1), f"u{number}")
    asked = ExportPayload(first_on=days_ago(1), last_on=days_ago(1))
    work = work_of(tmp_path, settings, "costs.export")
    steps = export(work, asked)
    next(steps)
    second = next(steps)
    work.checkpoint = {**second.checkpoint}
    next(steps)  # written, never committed
    for _ in export(work, asked):
        pass
    rows = rows_of(work.folder / work.result["files"][0]["name"])
    assert [row[1] for row in rows[1:]] == ["u0", "u1", "u2", "u3", "u4"]


def test_what_was_written_on_another_machine_cannot_be_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(JobRefusedError, match="start the job again"):
        Growing(tmp_path, "x.csv").cut(10)


def test_an_empty_file_has_its_heads(tmp_path: Path) -> None:
    file = Growing(tmp_path, "x.csv")
    file.cut(0)
    file.add(Sheet("x", ("a", "b"), ()), with_heads=True)
    file.finish()
    assert rows_of(tmp_path / "x.csv") == [["a", "b"]]


@pytest.mark.parametrize(("scope", "key"), [("global", ""), ("user", "*")])
def test_a_replay_lists_all_who_would_wait_and_goes_on_where_it_stopped(
    scope: str, key: str, tmp_path: Path, settings: Settings
) -> None:
    two_days(seed=7)
    for day in (FIRST, LAST):
        rollup_costs_for_date(day)
    asked = SimulationPayload(
        scope=scope, key=key, caps={"daily_jobs_cap": "4"}, first_on=FIRST, last_on=LAST
    )
    whole = work_of(tmp_path / "a", settings, "costs.simulate")
    for _ in replay(whole, asked):
        pass
    expected = rows_of(whole.folder / "who-would-wait.csv")
    assert len(expected) > 3
    again = work_of(tmp_path / "b", settings, "costs.simulate")
    again.checkpoint = next(replay(again, asked)).checkpoint
    for _ in replay(again, asked):
        pass
    assert rows_of(again.folder / "who-would-wait.csv") == expected
    assert again.result["found"] == whole.result["found"]
    assert "would have waited, on 2 of 2 days" in whole.result["found"]


def test_the_page_begins_a_replay_as_a_job(admin: Client) -> None:
    path = "/admin/cost/budget/simulation/job?scope=tier&key=free&days=7&daily_jobs_cap=4"
    answer = admin.post(path)
    run_all()
    job = Job.objects.get()
    assert answer["Location"] == f"/admin/jobs/{job.pk}"
    assert (job.state, (job.result or {})["found"]) == ("succeeded", "Nothing was recorded in these days")


def test_two_proposals_that_differ_only_at_their_end_are_two_jobs(admin: Client) -> None:
    caps = "&".join(f"{cap.name}=999000" for cap in CAPS[:-1])
    path = f"/admin/cost/budget/simulation/job?scope=user&key={'u' * 40}&{caps}&llm_output_tokens_cap="
    first, second, again = (admin.post(f"{path}{cap}")["Location"] for cap in (7, 8, 8))
    assert first != second == again


def test_caps_that_are_none_begin_no_job_and_are_told(admin: Client) -> None:
    path = "/admin/cost/budget/simulation/job?scope=tier&key=free&days=7&daily_jobs_cap=-5"
    assert "Write a whole number" in admin.post(path, follow=True).content.decode()
    assert not Job.objects.exists()


def test_a_replay_of_no_cap_is_refused_for_good() -> None:
    asked = SimulationPayload(scope="global", caps={"daily_jobs_cap": "lots"}, first_on=FIRST, last_on=LAST)
    with pytest.raises(JobRefusedError, match="whole number"):
        next(replay(Work.__new__(Work), asked))


def test_closed_days_are_repriced_as_a_job_and_one_that_changed_since_is_left(admin: Client) -> None:
    for back in (2, 3):
        store(call(f"{days_ago(back)} 00:00", llm_model="m", input_tokens=10**6))
        rollup_costs_for_date(days_ago(back))
    store_price("1", "1", "1", llm_model="m", effective_from=days_ago(9))
    seen = admin.get("/admin/cost/prices/reprice").context["version_of_all"]
    admin.post("/admin/cost/prices/reprice", {"as_job": "yes", "version_of_all": seen})
    CostDay.objects.filter(date=days_ago(3)).update(rolled_up_at=None)
    run_all()
    job = Job.objects.get(kind="costs.reprice")
    assert job.state == "succeeded", job.error_message
    assert (job.result or {})["difference"] == "+0.85 USD"
    assert f"{days_ago(3)}" in str(job.result)
    entry = AuditEntry.objects.get(action="price.reprice")
    assert (entry.actor, entry.target) == ("root", f"{days_ago(2)} to {days_ago(2)}")
    assert entry.after == {"days": 1, "difference_usd": "+0.85"}


def test_usage_is_folded_while_a_day_is_repriced_and_the_days_before_are_there() -> None:
    for back in (2, 3):
        store(call(f"{days_ago(back)} 00:00", llm_model="m", input_tokens=10**6))
        rollup_costs_for_date(days_ago(back))
    store_price("1", "1", "1", llm_model="m", effective_from=days_ago(9))
    store(call(f"{days_ago(4)} 00:00", llm_model="m", input_tokens=10**6))
    days = {day.on: day.version for day in preview(days_ago(3), days_ago(2))}
    work = Work.__new__(Work)
    work.checkpoint, work.result = None, {}
    steps = reprice(work, RepricePayload(days=days, actor="root"))
    for done in (0, 1, 1):
        with transaction.atomic():
            assert next(steps).done == done
    with transaction.atomic():
        store_elsewhere = partial(store, call(f"{days_ago(4)} 01:00", llm_model="m", input_tokens=10**6))
        assert next(steps).done == 2
        elsewhere(store_elsewhere)
        assert elsewhere(lambda: fold_pending(wait_s=0)) == 1
        assert [day.on for day in elsewhere(lambda: preview(days_ago(3), days_ago(2)))] == [days_ago(2)]
    assert preview(days_ago(3), days_ago(2)) == []


def elsewhere(do: Callable[[], T]) -> T:
    """Do something on another connection, as another process would."""

    def apart() -> T:
        try:
            return do()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(apart).result(10)


def test_prices_that_changed_after_the_preview_begin_no_job(admin: Client) -> None:
    store(call(f"{days_ago(2)} 00:00", llm_model="m", input_tokens=10**6))
    rollup_costs_for_date(days_ago(2))
    store_price("1", "1", "1", llm_model="m", effective_from=days_ago(9))
    seen = admin.get("/admin/cost/prices/reprice").context["version_of_all"]
    store_price("2", "1", "1", llm_model="m", effective_from=days_ago(8))
    answer = admin.post("/admin/cost/prices/reprice", {"as_job": "yes", "version_of_all": seen})
    assert answer.status_code == 409
    assert not Job.objects.filter(kind="costs.reprice").exists()


def test_viewers_begin_nothing(client: Client) -> None:
    client.force_login(make_staff("viewer"))
    assert client.post("/admin/cost/export").status_code == 403
    assert client.post("/admin/cost/budget/simulation/job?scope=global").status_code == 403
    assert client.post("/admin/cost/insight").status_code == 403
    assert not Job.objects.exists()


def test_no_kind_of_heavy_work_asks_budgets_but_the_one_that_calls_a_model() -> None:
    kinds = {name: kind.asks for name, kind in registered.items() if name.startswith("costs.")}
    assert kinds == {
        "costs.export": False, "costs.simulate": False, "costs.reprice": False, "costs.insight": True,
    }  # fmt: skip
