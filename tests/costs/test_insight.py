"""Yesterday in words: what the model is given, unchanged figures are not sent twice, off without a key."""

import threading
import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from costs import insight
from costs.tasks import explain_yesterday
from healthpilot.dataqueue.models import Job
from telemetry import spool
from telemetry.models import LlmEvent
from tests.costs.factories import days_ago, make_breakdown, make_global_day
from tests.healthpilot.ai.conftest import Provider, provider
from tests.healthpilot.dataqueue.conftest import recording
from tests.healthpilot.dataqueue.jobs import run_all

__all__ = ["provider", "recording"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("fresh_counters", "recording"),
]
TEXT = "Free users asked twice as much. <script>alert(1)</script>"


@pytest.fixture
def days() -> None:
    """Yesterday twice as dear as the day before, through one domain."""
    for back, cost in ((2, "1.5"), (1, "3")):
        make_global_day(days_ago(back), cost, jobs=10, ai_calls=4)
        make_breakdown(days_ago(back), "domain", "ai", cost)


@pytest.fixture
def model(provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider that writes TEXT, and the key by which it is asked."""
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", provider.base_url
    plain = provider.answer

    def answer(path: str, question: dict[str, Any]) -> dict[str, Any]:
        part = {"type": "output_text", "text": TEXT, "annotations": []}
        message = {
            "type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]
        }  # fmt: skip
        return plain(path, question) | {"output": [message]}

    monkeypatch.setattr(provider, "answer", answer)
    return provider


@pytest.mark.usefixtures("days")
def test_a_day_is_explained_once_and_shown_as_text(model: Provider, admin: Client) -> None:
    explain_yesterday()
    explain_yesterday()
    run_all()
    job = Job.objects.get()
    assert job.state == "succeeded", job.error_message
    [asked] = model.asked
    assert "domain 'ai': 1.5 -> 3" in asked["input"]
    assert asked["max_output_tokens"] == insight.MOST_TOKENS
    page = admin.get("/admin/cost/insight").content.decode()
    assert "Free users asked twice as much. &lt;script&gt;" in page


@pytest.mark.usefixtures("days")
def test_unchanged_figures_make_no_second_call_and_count_as_a_cache_hit(model: Provider) -> None:
    for _ in range(2):
        insight.ask()
        run_all()
    assert len(model.asked) == 1
    assert [(job.result or {}).get("text") for job in Job.objects.all()] == [TEXT, TEXT]
    spool.close(5)
    assert sorted(LlmEvent.objects.values_list("cache_hit", flat=True)) == [False, True]


@pytest.mark.usefixtures("days")
def test_without_a_key_it_is_off_and_says_so(admin: Client, settings: Settings) -> None:
    settings.OPENAI_API_KEY = ""
    explain_yesterday()
    assert not Job.objects.exists()
    page = admin.get("/admin/cost/insight").content.decode()
    assert "no model is configured" in page
    assert admin.post("/admin/cost/insight").status_code == 403
    insight.ask()
    run_all()
    assert "set OPENAI_API_KEY" in Job.objects.get().error_message


def test_a_day_that_is_not_rolled_up_is_not_asked_about(model: Provider) -> None:
    explain_yesterday()
    assert not Job.objects.exists()
    assert not model.asked


@pytest.mark.usefixtures("days")
def test_a_provider_that_fails_lets_the_job_try_again(model: Provider) -> None:
    model.status = 500
    insight.ask()
    run_all()
    assert Job.objects.get().state == "failed"


@pytest.mark.usefixtures("days")
def test_the_page_says_why_a_day_is_not_written(model: Provider, admin: Client) -> None:
    model.status = 500
    insight.ask()
    run_all()
    page = admin.get("/admin/cost/insight").content.decode()
    assert f"{days_ago(1)} is not written: will retry" in page
    assert "Error code: 500" in page
    Job.objects.update(state="dead", error_message="no quota")
    assert "is not written: failed for good" in admin.get("/admin/cost/insight").content.decode()


@pytest.mark.usefixtures("days")
def test_a_provider_that_is_silent_keeps_no_worker(model: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(model, "answer", lambda path, question: over.wait(60) and {})
    monkeypatch.setattr(insight, "LIMIT_S", 0.2)
    insight.ask()
    began = time.monotonic()
    run_all()
    took = time.monotonic() - began
    over.set()
    assert Job.objects.get().error_code == "APITimeoutError"
    assert took < 30
