"""A check is run now: by a worker, once however often it is asked, and the tab shows what came of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.run import run_next
from healthpilot.web.roles import Role
from systemstatus import runs
from systemstatus.models import AuditEntry, Snapshot
from systemstatus.probes import trials
from systemstatus.probes.integrations import integration
from systemstatus.registry import CheckState, Reading
from telemetry.outbound.client import circuits
from tests.costs.factories import make_with_role
from tests.systemstatus.factories import HOSTILE, check, make_snapshot
from tests.systemstatus.watched import module, only, probe

pytestmark = pytest.mark.django_db(transaction=True)

HEALTH = "/admin/status/health"


def refuses() -> Reading:
    return Reading(state=CheckState.FAILED, note=f"says no {HOSTILE}")


SHOP = module("shop", probe(refuses), probe({"n": 1}, "sums", counts=True), title="Shop")


@pytest.fixture(autouse=True)
def shop() -> Iterator[None]:
    cache.clear()
    with only(SHOP):
        make_snapshot("shop", checks=[check("look"), check("sums")])
        yield
    cache.clear()


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make_with_role(Role.OPERATOR))
    return client


def asked(client: Client, module: str, status: int = 200, tab: str = "health") -> str:
    answer = client.post(f"/admin/status/{tab}/checks/run", {"module": module}, follow=True)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def test_a_worker_runs_it_and_the_tab_shows_what_it_said(operator: Client) -> None:
    told = asked(operator, "shop/look")
    assert "Shop is being checked" in told
    assert "Waits for a worker" in told
    before = Snapshot.objects.values().get()
    run_next("system")
    html = operator.get(HEALTH).content.decode()
    assert "says no &lt;img" in html
    assert "Waits for a worker" not in html
    assert Snapshot.objects.values().get() == before, "the snapshots judge, and stay as they are"
    job = Job.objects.get()
    assert job.result
    assert job.result["checks"][0]["state"] == "failed"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == ("operator", "check.run", "shop look")


def test_the_request_runs_no_check_itself(operator: Client) -> None:
    begun: list[int] = []

    def noted() -> Reading:
        begun.append(1)
        return Reading()

    with only(module("shop", probe(noted), title="Shop")):
        asked(operator, "shop")
        assert begun == []
        run_next("system")
        assert begun == [1]


def test_a_double_click_runs_it_once() -> None:
    people = [Client(), Client()]
    for one, name in zip(people, ("ada", "bo"), strict=True):
        one.force_login(make_with_role(Role.OPERATOR, name))
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda one: asked(one, "shop"), people))
    assert sum("is being checked already" in one for one in told) == 1
    assert (Job.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_it_rests_between_runs_and_so_many_a_minute_are_enough(operator: Client, monkeypatch: Any) -> None:
    asked(operator, "shop")
    run_next("system")
    assert "was checked a moment ago" in asked(operator, "shop")
    Job.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    monkeypatch.setattr(runs, "MOST_A_MINUTE", 1)
    assert "More than 1 modules a minute" in asked(operator, "shop")
    assert Job.objects.count() == 1


def test_what_counts_since_the_last_pass_is_not_asked_in_between(operator: Client) -> None:
    assert list(runs.probes_now(SHOP)) == [("shop", "look")]
    html = operator.get(HEALTH).content.decode()
    assert 'value="shop/look"' in html
    assert 'value="shop/sums"' not in html
    for name in ("shop/sums", "nobody", "", HOSTILE):
        assert "There is no such module, or nothing of it" in asked(operator, name)
    assert not Job.objects.exists()


def test_a_viewer_may_not_and_is_offered_nothing() -> None:
    viewer = Client()
    viewer.force_login(make_with_role(Role.VIEWER))
    asked(viewer, "shop", 403)
    assert "Run now" not in viewer.get(HEALTH).content.decode()


def test_other_tabs_run_no_checks_and_past_minutes_offer_none(operator: Client) -> None:
    asked(operator, "shop", 404, tab="audit")
    past = f"{timezone.now() - timedelta(minutes=5):%Y-%m-%dT%H:%M}"
    assert 'form="run-form"' not in operator.get(f"{HEALTH}?at={past}").content.decode()


@pytest.mark.parametrize(
    ("status", "word", "said"),
    [(200, "OK", "It answers and takes the key"), (401, "Failed", "It does not take OPENAI_API_KEY"),
     (500, "Failed", "answered 500")],
)  # fmt: skip
def test_a_service_is_tried_with_its_key_when_somebody_asks(
    operator: Client, settings: Settings, httpserver: HTTPServer, status: int, word: str, said: str
) -> None:
    httpserver.expect_request("/v1/models", headers={"Authorization": "Bearer k"}).respond_with_json(
        {}, status=status
    )
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "k", httpserver.url_for("/v1")
    circuits.clear()
    trials.client.cache_clear()
    with only(integration("openai", "OpenAI", str, owner="tests", trials=(probe(trials.openai, "key"),))):
        make_snapshot("openai", state="skipped", checks=[check("calls", "skipped")])
        assert "Probe now" in operator.get("/admin/status/integrations").content.decode()
        asked(operator, "openai", tab="integrations")
        run_next("system")
        html = operator.get("/admin/status/integrations").content.decode()
    trials.client.cache_clear()
    assert said in html
    assert word in html.split('id="runs"')[1].split("</section>")[0]
