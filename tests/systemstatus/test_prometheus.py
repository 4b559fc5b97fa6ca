"""Prometheus reads the newest snapshots with a token, and nothing that was not measured."""

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from systemstatus.collector import collect_snapshot
from systemstatus.registry import CheckState, Metric, Reading
from tests.costs.factories import bearer, make_token
from tests.systemstatus.factories import HOSTILE, make_alert
from tests.systemstatus.watched import module, only, probe

pytestmark = pytest.mark.django_db


def scraped(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/api/status/metrics", headers=bearer(make_token("status:read")))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_figures_states_and_alerts_are_scraped_with_a_token(client: Client) -> None:
    metrics = (Metric("queue.depth", "jobs", "Waiting"), Metric("db.size", "bytes", "Size"),
               Metric("not.measured", "s", "Never"))  # fmt: skip
    values = {"queue.depth": {"paid": 3, HOSTILE: 4}, "db.size": 1024, "more": 1}
    with only(
        module("one", probe(values), metrics=metrics),
        module("two", probe(lambda: Reading(state=CheckState.FAILED))),
    ):
        collect_snapshot(timezone.now())
        make_alert("db.connections", "one")
        found = scraped(client)
    assert found["healthpilot_queue_depth", ("one", "paid")] == 3
    assert found["healthpilot_queue_depth", ("one", HOSTILE)] == 4
    assert found["healthpilot_db_size", ("one", "")] == 1024
    assert found["healthpilot_module_state", ("two", "critical")] == 1
    assert found["healthpilot_module_state", ("two", "ok")] == 0
    assert found["healthpilot_open_alerts", ("critical",)] == 1
    assert 0 <= found["healthpilot_snapshot_age_seconds", ()] < 120
    assert not [name for name, _ in found if "not_measured" in name]


def test_without_a_snapshot_there_is_no_age_and_no_figure(client: Client) -> None:
    assert {name for name, _ in scraped(client)} == {"healthpilot_open_alerts"}


def test_it_needs_the_scope(client: Client) -> None:
    assert client.get("/api/status/metrics").status_code == 401
    other = client.get("/api/status/metrics", headers=bearer(make_token("cost:read")))
    assert other.status_code == 403
    assert client.get("/metrics")["Location"] == "/api/status/metrics"
