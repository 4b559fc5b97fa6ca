"""An alert's life: each state is reached by cycles in a row, and by nothing else."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from systemstatus.alerts.engine import evaluate, evaluate_registered
from systemstatus.findings import Finding, register_findings, sources
from systemstatus.models import Alert, AlertTransition
from tests.systemstatus.alerts.cycles import MINUTE, NOON, Clock, finding, newest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("levels", "states"),
    [
        (["critical", "critical"], ["pending", "firing"]),
        (["warning"] * 5, ["pending"] * 4 + ["firing"]),
        (["info"], ["firing"]),
        (["critical", "ok"], ["pending", "ok"]),
        (["critical", "critical", "ok", "ok"], ["pending", "firing", "recovering", "resolved"]),
        (
            ["critical", "critical", "ok", "critical", "ok", "ok"],
            ["pending", "firing", "recovering", "firing", "recovering", "resolved"],
        ),
        (["no_data", "no_data", "ok", "ok"], ["pending", "no_data", "recovering", "resolved"]),
        (["error", "error"], ["pending", "error"]),
        (
            ["critical", "critical", "no_data", "no_data", "critical"],
            ["pending", "firing", "firing", "no_data", "firing"],
        ),
        (["warning", "ok", "warning"], ["pending", "ok", "pending"]),
    ],
)
def test_states_follow_the_cycles(levels: list[str], states: list[str]) -> None:
    assert Clock().cycles(*levels) == states


def test_a_row_may_say_how_many_cycles_it_needs() -> None:
    clock = Clock()
    assert clock.cycles("critical", "critical", "critical", breach_cycles=3) == ["pending"] * 2 + ["firing"]
    assert clock.cycles("ok", recovery_cycles=1) == ["resolved"]


def test_severity_rises_and_falls_by_cycles_and_a_rise_ends_an_acknowledgement() -> None:
    clock = Clock()
    clock.cycles(*["warning"] * 5)
    Alert.objects.update(acknowledged_by="ann", acknowledged_at=clock.now, acknowledgement="on it")
    clock.cycles("critical")
    assert (newest().severity, newest().acknowledged_by) == ("warning", "ann")
    clock.cycles("critical")
    assert (newest().severity, newest().acknowledged_by) == ("critical", "")
    clock.cycles("warning")
    assert newest().severity == "critical"
    clock.cycles("warning")
    assert (newest().severity, newest().state) == ("warning", "firing")


def test_what_is_not_core_is_a_warning_at_most() -> None:
    clock = Clock()
    clock.cycles(*["critical"] * 4, core=False)
    assert newest().state == "pending"
    clock.cycles("critical", core=False)
    assert (newest().state, newest().severity) == ("firing", "warning")


def test_no_data_on_a_core_part_becomes_critical_after_five_minutes() -> None:
    clock = Clock()
    clock.cycles(*["no_data"] * 4)
    assert newest().severity == "warning"
    clock.cycles("no_data")
    assert newest().severity == "critical"


def test_one_alert_is_open_a_target_whatever_the_value_and_another_begins_after_its_end() -> None:
    clock = Clock()
    for value in (95, Decimal("96.5"), float("nan")):
        clock.cycle(finding(value=value), finding(target="other"))
    assert Alert.objects.filter(closed_at=None).count() == 2
    clock.cycles("ok", "ok", "critical")
    assert Alert.objects.filter(target="").count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(
            key=newest().key, source="x", rule="x", module="x", state="firing", severity="info",
            began_at=NOON, evaluated_at=NOON,
        )  # fmt: skip


def test_a_minute_is_evaluated_once_and_a_clock_that_goes_back_does_not_stop_the_next() -> None:
    assert len(evaluate([finding()], now=NOON)) == 1
    assert evaluate([finding()], now=NOON + timedelta(seconds=20)) == []
    assert evaluate([finding()], now=NOON - MINUTE) == []
    assert newest().breaches == 1
    evaluate([finding()], now=NOON - timedelta(hours=1))
    assert newest().breaches == 2


def test_what_its_source_no_longer_mentions_is_well_again_but_not_for_another_source() -> None:
    clock = Clock()
    clock.cycles("critical", "critical")
    evaluate([], now=clock.now, source="another")
    assert newest().state == "firing"
    clock.cycle()
    clock.cycle()
    assert newest().state == "resolved"


def test_each_step_is_written_with_the_state_it_led_to() -> None:
    Clock().cycles("critical", "critical", "ok", "ok")
    steps = AlertTransition.objects.order_by("id").values_list("from_state", "to_state")
    assert list(steps) == [
        ("ok", "pending"),
        ("pending", "firing"),
        ("firing", "recovering"),
        ("recovering", "resolved"),
    ]


def test_hostile_text_is_kept_as_text_and_cut_to_its_column() -> None:
    clock = Clock()
    target = "<script>\0\n\x1b[31m'; DROP TABLE alerts; --\ud800" + "x" * 5000
    clock.cycle(finding(target=target))
    clock.cycle(finding(target=target))
    assert newest().state == "firing"
    assert newest().target.startswith("<script>   [31m'; DROP TABLE")
    assert len(newest().target) == 200


def test_any_number_of_findings_becomes_the_worst_hundred_and_a_number() -> None:
    def many() -> Iterator[Finding]:
        for n in range(20_000):
            yield finding("critical" if n == 19_999 else "warning", target=f"t{n}")

    clock = Clock()
    clock.cycle(many())
    assert Alert.objects.count() == 101
    assert Alert.objects.filter(severity="critical", target="t19999").exists()
    assert "19,900 more" in Alert.objects.get(target="(others)").message
    clock.cycle(many())
    assert Alert.objects.count() == 101


def test_findings_of_more_rules_than_are_listed_become_one_that_says_how_many() -> None:
    def many() -> list[Finding]:
        return [replace(finding("warning"), module=f"part{n}") for n in range(249)] + [
            replace(finding("critical"), module="part249")
        ]

    clock = Clock()
    clock.cycle(many())
    clock.cycle(many())
    assert Alert.objects.count() == 201
    rest = Alert.objects.get(rule="alerts.unlisted")
    assert (rest.severity, rest.value, rest.state) == ("critical", 50, "firing")
    assert rest.message == "50 findings of rules or modules beyond 200 are in breach and not listed."
    clock.cycles("ok", "ok", "ok")
    assert Alert.objects.get(rule="alerts.unlisted").state == "resolved"


@pytest.fixture
def own_sources() -> Iterator[None]:
    before = dict(sources)
    sources.clear()
    yield
    sources.clear()
    sources.update(before)


def test_a_source_that_raises_becomes_an_alert_and_spares_the_rest(own_sources: None) -> None:
    def broken(now: datetime) -> Iterator[Finding]:
        yield finding(target="never seen")
        raise ZeroDivisionError("by nought")

    register_findings("good", lambda now: [finding()])
    register_findings("broken", broken)
    for minute in range(2):
        evaluate_registered(NOON + minute * MINUTE)
    assert {(a.rule, a.target, a.state) for a in Alert.objects.all()} == {
        ("db.connections", "", "firing"),
        ("alerts.source_failed", "broken", "error"),
    }
    assert "by nought" in Alert.objects.get(target="broken").message


def test_a_name_of_a_source_is_taken_once(own_sources: None) -> None:
    register_findings("one", lambda now: [finding()])
    with pytest.raises(ValueError, match="registered already"):
        register_findings("one", lambda now: [])


@pytest.mark.django_db(transaction=True)
def test_two_evaluators_at_once_make_one_step() -> None:
    steps: list[int] = []

    def run() -> None:
        try:
            steps.append(len(evaluate([finding()], now=NOON)))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(steps) == [0, 0, 0, 1]
    assert newest().breaches == 1
