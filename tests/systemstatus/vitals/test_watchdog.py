"""The watchdog opens and sends what a dead collector, evaluator, sender, beat or worker no longer can."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from systemstatus import lease
from systemstatus.alerts.engine import evaluate
from systemstatus.collector import collect_snapshot
from systemstatus.findings import Finding, Level
from systemstatus.judging import judge
from systemstatus.models import Alert, Notification, StatusLease
from systemstatus.vitals import signs, watchdog
from systemstatus.vitals.outage import Outage
from tests.receiver import Receiver
from tests.systemstatus.test_collector import NOON
from tests.systemstatus.watched import module, only, probe

pytestmark = pytest.mark.django_db(transaction=True)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def everything_ran(**seconds: float) -> None:
    """Make a state in which each stage ran so many seconds ago; what is not named ran just now."""
    for name in ("collector", "alerts", "sender"):
        lease.note(name)
        StatusLease.objects.filter(name=name).update(done_at=ago(seconds.get(name, 1)))
    queues = {"queues": ["free", "heavy", "paid", "system"]}
    signs.say("celery@one", "worker", queues, stale_s=seconds.get("worker", 1))
    entry = {"name": "tick", "task": "t", "every_s": 5, "overdue_s": 0}
    signs.say("beat@one", "beat", {"entries": [entry]}, stale_s=seconds.get("beat", 1))


def fired() -> dict[str, str]:
    found = Alert.objects.filter(closed_at=None, fired_at__isnull=False)
    return dict(found.values_list("rule", "severity"))


def test_what_keeps_its_times_is_no_alert() -> None:
    everything_ran()
    assert watchdog.look(999).bad == []
    assert not Alert.objects.exists()
    assert signs.seen("watchdog")[0].age_s < 60


@pytest.mark.parametrize(
    ("seconds", "severity"), [(100, ""), (130, "warning"), (310, "critical")], ids=["fresh", "late", "gone"]
)
def test_a_collector_that_stands_still_is_yellow_at_two_minutes_and_red_at_five(
    seconds: float, severity: str
) -> None:
    everything_ran(collector=seconds, alerts=200)
    watchdog.look(999)
    assert fired().get("collector.age", "") == severity


def test_a_dead_worker_is_named_as_the_cause_and_the_message_is_sent(receiver: Receiver) -> None:
    everything_ran(collector=400, alerts=400, sender=400, worker=400)
    assert watchdog.look(999).sent == 0
    assert set(fired()) == {"collector.age", "alerts.age", "sender.age", "queue.worker_heartbeat"}
    causes = Alert.objects.exclude(rule="queue.worker_heartbeat").values_list("caused_by", flat=True)
    assert set(causes) == {"workers"}
    Notification.objects.update(next_at=ago(1))
    assert watchdog.look(999).sent == 1
    (body,) = receiver.bodies
    assert body["data"]["module"] == "workers"
    assert [alert["rule"] for alert in body["data"]["alerts"]] == ["queue.worker_heartbeat"]


def test_a_dead_beat_is_named_as_the_cause() -> None:
    everything_ran(collector=400, alerts=400, sender=400, beat=400)
    watchdog.look(999)
    assert Alert.objects.get(rule="queue.beat_lateness").severity == "critical"
    assert Alert.objects.get(rule="collector.age").caused_by == "beat"


def test_a_beat_that_is_late_is_named_as_soon_as_the_collector_is() -> None:
    everything_ran(collector=130, alerts=130, sender=130, beat=130)
    watchdog.look(999)
    assert Alert.objects.get(rule="queue.beat_lateness").severity == "warning"
    assert Alert.objects.get(rule="collector.age").caused_by == "beat"


def test_a_sender_that_stands_still_is_stood_in_for_and_named(receiver: Receiver) -> None:
    everything_ran(sender=400)
    watchdog.look(999)
    assert fired() == {"sender.age": "critical"}
    Notification.objects.update(next_at=ago(1))
    assert watchdog.look(999).sent == 1


def test_the_evaluator_finds_the_watchdogs_alert_again_and_ends_it() -> None:
    with only(module("one", probe({"a": 1}))):
        collect_snapshot(NOON)
        everything_ran(collector=400, alerts=400)
        watchdog.look(999)
        opened = Alert.objects.get(rule="collector.age")
        for minute in (10, 11):
            now = NOON + timedelta(minutes=minute)
            collect_snapshot(now)
            evaluate(judge(now), now=now, source="snapshots")
    assert Alert.objects.filter(rule="collector.age").count() == 1
    opened.refresh_from_db()
    assert opened.state == "resolved"
    everything_ran()
    watchdog.look(999)
    watchdog.look(999)
    assert Alert.objects.get(rule="alerts.age").state == "resolved"


def test_standing_in_leaves_the_evaluators_other_alerts_open() -> None:
    with only(module("one", probe({"a": 1}))):
        for minute in range(4):
            now = NOON + timedelta(minutes=minute)
            evaluate(
                [Finding("db.connections", "postgres", "", Level.CRITICAL, 95, "Full.")],
                now=now,
                source="snapshots",
            )
    everything_ran(collector=400, alerts=400)
    watchdog.look(999)
    watchdog.look(999)
    assert fired()["db.connections"] == "critical"


def test_before_anything_ever_ran_the_watchdogs_own_age_counts() -> None:
    assert watchdog.look(10).bad == []
    assert {one.rule for one in watchdog.look(400).bad} >= {"collector.age", "alerts.age", "sender.age"}


def test_a_start_after_a_night_is_no_alarm() -> None:
    everything_ran(collector=30_000, alerts=30_000, sender=30_000, worker=30_000, beat=30_000)
    assert watchdog.look(20).bad == []
    assert {one.rule for one in watchdog.look(320).bad} >= {"collector.age", "queue.beat_lateness"}


def test_the_command_says_what_stands_still_and_ends_with_1() -> None:
    everything_ran()
    out = StringIO()
    call_command("watchdog", "--once", stdout=out)
    assert "keep their times" in out.getvalue()
    everything_ran(beat=300)
    with pytest.raises(CommandError):
        call_command("watchdog", "--once", stdout=out)
    assert "Schedule lateness is" in out.getvalue()


def test_a_database_that_does_not_answer_is_told_past_it_with_one_id(receiver: Receiver) -> None:
    now = 0.0
    outage = Outage(clock=lambda: now)
    outage.failed("connection refused")
    assert receiver.ids == []
    now = 61.0
    outage.failed("connection refused")
    outage.failed("connection refused")
    assert len(receiver.ids) == 1
    now = 90.0
    outage.over()
    assert [body["type"] for body in receiver.bodies] == ["alert.firing", "alert.resolved"]
    assert "90 s" in receiver.bodies[1]["data"]["title"]
    outage.over()
    assert len(receiver.ids) == 2


def test_an_outage_nobody_could_be_told_of_is_tried_again(receiver: Receiver) -> None:
    receiver.answers[:] = ["500", "200"]
    now = 61.0
    outage = Outage(clock=lambda: now, since=0.0, began_at=timezone.now())
    outage.failed("refused")
    assert outage.told == set()
    outage.failed("refused")
    assert outage.told == {"webhook"}
    assert len(set(receiver.ids)) == 1


def test_the_end_of_an_outage_is_told_again_where_it_did_not_go_out(receiver: Receiver) -> None:
    receiver.answers[:] = ["200", "500", "200"]
    now = 61.0
    outage = Outage(clock=lambda: now, since=0.0, began_at=timezone.now())
    outage.failed("refused")
    for _ in range(3):
        outage.over()
    assert [body["type"] for body in receiver.bodies] == ["alert.firing", *["alert.resolved"] * 2]
    assert len(set(receiver.ids)) == 2


def test_the_loop_outlives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def gone(alive_s: float) -> Any:
        raise OperationalError("connection refused")

    def noted(self: Outage, error: str) -> None:
        said.append(error)
        if len(said) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(watchdog, "look", gone)
    monkeypatch.setattr(Outage, "failed", noted)
    with pytest.raises(KeyboardInterrupt):
        call_command("watchdog", "--every", "0.01", stderr=StringIO())
    assert said == ["connection refused"] * 3
