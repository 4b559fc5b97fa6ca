"""The rules on costs: what they find, how bad it is, and that it is told."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from costs.alerting import age_reading, findings, forecasts
from costs.models import CostBudget, CostDay, CostSettings
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.work import Work
from healthpilot.web.roles import Role
from systemstatus import jobs
from systemstatus.alerts.engine import evaluate_registered
from systemstatus.models import Alert, AuditEntry, Notification
from systemstatus.notify import webhook
from systemstatus.registry import CheckState
from telemetry.outbound.client import circuits
from tests.costs.factories import (
    bearer,
    days_ago,
    make_admin,
    make_breakdown,
    make_global_day,
    make_token,
    make_user_day,
    make_with_role,
    today,
)
from tests.healthpilot.dataqueue.jobs import run_all
from tests.receiver import SECRET, receiving

pytestmark = pytest.mark.django_db


def found(now: datetime | None = None) -> dict[tuple[str, str], str]:
    return {(one.rule, one.target): one.level.value for one in findings(now or timezone.now())}


@pytest.mark.parametrize(
    ("cost", "level"),
    [("4.99", None), ("5", "info"), ("8", "warning"), ("9.999999", "warning"), ("10", "critical")],
)
def test_a_cap_is_noticed_at_50_80_and_100_percent(cost: str, level: str | None) -> None:
    make_global_day(today(), cost)
    CostBudget.objects.create(apply_scope="global", daily_cost_usd_cap=10, updated_by="t")
    assert found().get(("cost.budget", "global: daily_cost_usd_cap")) == level


def test_each_cap_of_a_scope_counts_by_itself_and_no_cap_or_nothing_allowed_is_no_finding() -> None:
    make_breakdown(today(), "tier", "free", "3", jobs=90, cpu_ms=500)
    CostBudget.objects.create(
        apply_scope="tier", scope_key="free", daily_jobs_cap=100, daily_cpu_ms_cap=0,
        monthly_cost_usd_cap=5, updated_by="t",
    )  # fmt: skip
    assert found() == {
        ("cost.budget", "tier:free: daily_jobs_cap"): "warning",
        ("cost.budget", "tier:free: monthly_cost_usd_cap"): "info",
    }


def test_of_each_users_budget_only_users_near_it_are_found() -> None:
    CostBudget.objects.create(apply_scope="user", scope_key="*", daily_cost_usd_cap=10, updated_by="t")
    CostBudget.objects.create(apply_scope="user", scope_key="rich", daily_cost_usd_cap=1000, updated_by="t")
    make_global_day(today(), "30")
    for user_id, cost in (("near", "9"), ("far", "1"), ("rich", "20")):
        make_user_day(today(), user_id, cost)
    assert found() == {("cost.budget", "user:near: daily_cost_usd_cap"): "warning"}


def test_a_month_that_will_pass_its_cap_is_told_before_it_does() -> None:
    middle = date(2026, 5, 15)
    for back in range(29):
        make_global_day(middle - timedelta(days=back), "10")
    budget = CostBudget.objects.create(apply_scope="global", monthly_cost_usd_cap=300, updated_by="t")
    (one,) = forecasts([budget], middle)
    assert (one.level, one.value) == ("warning", 310)
    assert (
        one.message == "Everything will likely cost $310.00 by 31 May, more than the month's cap of $300.00."
    )
    budget.monthly_cost_usd_cap = Decimal(320)
    assert list(forecasts([budget], middle)) == []


def test_a_user_is_odd_by_its_own_days_and_never_for_cents_or_without_a_past() -> None:
    for back in range(1, 9):
        make_user_day(days_ago(back), "usual", "2")
        make_user_day(days_ago(back), "odd", "2")
        make_user_day(days_ago(back), "cents", "0.01")
    for user_id, cost in (("usual", "9.99"), ("odd", "10"), ("cents", "0.9"), ("new", "50")):
        make_user_day(today(), user_id, cost)
    assert found() == {("cost.anomaly", "odd"): "warning"}


def test_models_without_a_price_are_named_with_their_calls() -> None:
    make_breakdown(days_ago(1), "model", "<b>new</b>", "0", ai_calls=7, unpriced_calls=3)
    make_breakdown(days_ago(2), "model", "old", "0", ai_calls=7, unpriced_calls=3)
    make_breakdown(today(), "model", "priced", "0", ai_calls=7)
    (one,) = findings(timezone.now())
    assert (one.target, one.value) == ("<b>new</b>", 3)


@pytest.mark.parametrize(("hours", "level"), [(25.9, None), (26, "warning"), (30, "critical")])
def test_a_missed_rollup_is_noticed(hours: float, level: str | None) -> None:
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    CostDay.objects.create(date=now.date(), closed_at=now - timedelta(hours=hours))
    assert found(now).get(("cost.rollup_age", "")) == level


def test_a_fresh_installation_counts_from_its_start_and_an_empty_one_says_nothing() -> None:
    CostSettings.objects.all().delete()
    assert found() == {}
    assert age_reading().state == CheckState.DISABLED
    now = timezone.now()
    CostSettings.objects.create(timezone="UTC")
    assert found(now + timedelta(hours=27)) == {("cost.rollup_age", ""): "warning"}


def test_a_full_cap_on_everything_becomes_a_critical_alert_and_one_message(settings: Any) -> None:
    settings.ALERT_EMAIL_TO = ["ops@example.com"]
    make_global_day(today(), "11")
    CostBudget.objects.create(apply_scope="global", daily_cost_usd_cap=Decimal(10), updated_by="t")
    now = timezone.now()
    for minute in range(2):
        evaluate_registered(now + timedelta(minutes=minute))
    alert = Alert.objects.get(rule="cost.budget")
    assert (alert.state, alert.severity) == ("firing", "critical")
    assert alert.message == "Everything has used 110 % of its cap on spend a day, $10.00."
    assert Notification.objects.get().group == "cost_budgets"


@pytest.fixture
def fresh_webhook() -> None:
    circuits.clear()
    webhook.client_for.cache_clear()


def point_at(settings: Any, url: str, *, private: bool = True) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = url, SECRET
    settings.ALERT_ALLOW_PRIVATE = private


def test_alert_test_sends_a_signed_webhook_for_a_token(
    client: Client, settings: Any, fresh_webhook: None
) -> None:
    headers = bearer(make_token("budgets:write"))
    with receiving() as server:
        point_at(settings, server.url)
        answer = client.post("/api/admin/cost/alert:test", headers=headers)
        assert (answer.status_code, answer.json()["answer"]) == (200, "answered 200")
        assert server.ids == [answer.json()["message_id"]]
        assert (server.errors, server.bodies[0]["type"]) == ([], "alert.test")
    assert Notification.objects.get().state == "sent"
    assert AuditEntry.objects.filter(action="alert.test").count() == 1


@pytest.mark.parametrize(
    ("how", "private", "why"),
    [("500", True, "answered 500"), ("redirect", True, "redirect"), ("200", False, "ALERT_ALLOW_PRIVATE")],
)
def test_alert_test_says_what_stood_in_the_way(
    client: Client, settings: Any, fresh_webhook: None, how: str, private: bool, why: str
) -> None:
    with receiving(how) as server:
        point_at(settings, server.url, private=private)
        answer = client.post("/api/admin/cost/alert:test", headers=bearer(make_token("budgets:write")))
    assert answer.status_code == 502
    assert why in answer.json()["error"]["message"]
    assert Notification.objects.get().state == "given_up"


def test_alert_test_without_a_webhook_says_what_to_set(client: Client) -> None:
    answer = client.post("/api/admin/cost/alert:test", headers=bearer(make_token("budgets:write")))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "webhook_not_set")
    assert "ALERT_WEBHOOK_URL" in answer.json()["error"]["message"]


def test_the_button_is_for_admins_and_its_job_says_what_came_back(
    client: Client, settings: Any, fresh_webhook: None
) -> None:
    client.force_login(make_with_role(Role.OPERATOR))
    assert client.post("/admin/cost/alert-test").status_code == 403
    assert b"Send a test webhook" not in client.get("/admin/cost/budgets").content
    client.force_login(make_admin())
    assert b"nobody yet. Set ALERT_WEBHOOK_URL" in client.get("/admin/cost/budgets").content
    with receiving() as server:
        point_at(settings, server.url)
        assert b"will pass its cap: Webhook." in client.get("/admin/cost/budgets").content
        begun, again = (client.post("/admin/cost/alert-test") for _ in range(2))
        assert begun["Location"] == again["Location"]
        assert server.ids == [], "nothing is sent in the request"
        run_all()
        assert len(server.ids) == 1
    page = client.get(begun["Location"]).content
    assert b"answered 200" in page
    assert server.ids[0].encode() in page


def test_the_job_of_a_test_that_fails_ends_with_what_stood_in_the_way(
    client: Client, settings: Any, fresh_webhook: None
) -> None:
    client.force_login(make_admin())
    with receiving("500") as server:
        point_at(settings, server.url)
        job = client.post("/admin/cost/alert-test")["Location"]
        run_all()
    assert b"The test webhook was not delivered" in client.get(job).content
    assert b"answered 500" in client.get(job).content
    assert Notification.objects.get().state == "given_up"
    assert AuditEntry.objects.filter(action="alert.test").count() == 1


def test_without_a_webhook_the_button_begins_no_job(client: Client) -> None:
    client.force_login(make_admin())
    answer = client.post("/admin/cost/alert-test", follow=True)
    assert answer.redirect_chain[-1][0] == "/admin/cost/budgets"
    assert b"No webhook is set: give ALERT_WEBHOOK_URL" in answer.content
    assert not Job.objects.exists()


def test_a_test_whose_worker_died_after_sending_sends_the_same_message_again(
    settings: Any, fresh_webhook: None
) -> None:
    work = Work(
        id=7, kind="alerts.test", payload={}, tier="system", user_id="ada", domain="system", attempt=1,
        batch_size=1000, checkpoint=None, due_at=timezone.now(),
    )  # fmt: skip
    with receiving() as server:
        point_at(settings, server.url)
        work.checkpoint = next(jobs.test_webhook(work, jobs.TestPayload())).checkpoint
        for _ in range(2):
            next(jobs.test_webhook(work, jobs.TestPayload()))
    assert server.ids == ["msg_test_job_7"] * 2
    assert server.bodies[0] == server.bodies[1]
