"""Snapshots move alerts by the table of budgets, through the real collector and engine."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from systemstatus import findings
from systemstatus.alerts.engine import evaluate
from systemstatus.collector import collect_snapshot
from systemstatus.findings import Finding, Level
from systemstatus.judging import SOURCE, judge, level_of
from systemstatus.models import Alert
from systemstatus.phrases import phrase
from systemstatus.registry import CheckState, Metric, Reading
from systemstatus.thresholds import BY_ID
from tests.systemstatus.test_collector import NOON
from tests.systemstatus.watched import module, only, probe


class Drive:
    """A module whose one metric says what it is told, minute by minute, until the alert is known."""

    def __init__(self, budget: str) -> None:
        self.value, self.minute = 0.0, NOON
        look = probe(lambda: Reading({budget: self.value}))
        self.module = module("one", look, metrics=(Metric(budget, "", budget, budget),))
        self.budget = budget

    def hold(self, value: float, minutes: int = 20) -> str:
        """Hold a value; returns the open alert's severity, '' without one that fired."""
        self.value = value
        for _ in range(minutes):
            self.minute += timedelta(minutes=1)
            collect_snapshot(self.minute)
            evaluate(judge(self.minute), now=self.minute, source=SOURCE)
        fired = Alert.objects.filter(rule=self.budget, closed_at=None, fired_at__isnull=False).first()
        return fired.severity if fired else ""


@pytest.fixture
def quiet() -> Iterator[None]:
    before = dict(findings.sources)
    yield
    findings.sources.clear()
    findings.sources.update(before)


@pytest.mark.django_db
def test_a_few_jobs_that_fail_say_nothing() -> None:
    drive = Drive("queue.failures")
    runs, failed = 1, 1
    look = probe(lambda: Reading({"queue.runs": runs, "queue.failed": failed}))
    metric = Metric("queue.failures", "%", "Failed", "queue.failures")
    with only(module("one", look, metrics=(metric,))):
        assert drive.hold(0, 17) == ""


def found(now: datetime) -> dict[str, Finding]:
    return {finding.rule: finding for finding in judge(now)}


@pytest.mark.django_db
def test_a_collector_that_stopped_is_never_green() -> None:
    with only(module("one", probe({"a": 1}))):
        collect_snapshot(NOON)
        assert found(NOON)["collector.age"].level == Level.OK
        assert found(NOON + timedelta(minutes=2))["collector.age"].level == Level.WARNING
        assert found(NOON + timedelta(minutes=5))["collector.age"].level == Level.CRITICAL
        unknown = found(NOON + timedelta(minutes=5))["module.unknown"]
        assert (unknown.level, unknown.caused_by) == (Level.NO_DATA, "collector")


@pytest.mark.django_db
def test_a_share_needs_its_samples_and_a_count_that_was_begun_anew_does_not_go_below_nought() -> None:
    counts = {"db.blocks_hit_total": 0, "db.blocks_read_total": 0}
    watched = module(
        "one", probe(lambda: Reading(dict(counts))), metrics=(Metric("x", "%", "x", "db.cache_hit"),)
    )
    with only(watched):
        for minute, hit, read in ((0, 5_000, 5_000), (1, 6_000, 5_000), (2, 90, 20_000)):
            counts |= {"db.blocks_hit_total": hit, "db.blocks_read_total": read}
            collect_snapshot(NOON + timedelta(minutes=minute))
            if minute == 1:
                assert "db.cache_hit" not in found(NOON + timedelta(minutes=1))
        judged = found(NOON + timedelta(minutes=2))["db.cache_hit"]
    assert (judged.value, judged.level) == (6.77, Level.CRITICAL)


@pytest.mark.django_db
def test_a_check_that_fails_is_a_finding_of_its_module() -> None:
    def broken() -> Reading:
        raise ConnectionError("refused")

    with only(module("one", probe(broken))):
        collect_snapshot(NOON)
        down = found(NOON)["check.down"]
    assert (down.level, down.target, down.breach_cycles) == (Level.CRITICAL, "look", 3)
    assert down.message == "one, look: ConnectionError: refused"


@pytest.mark.usefixtures("quiet")
@pytest.mark.django_db
def test_an_alert_stays_open_while_nothing_is_collected() -> None:
    drive = Drive("db.connections")
    with only(drive.module):
        assert drive.hold(95) == "critical"
        for minutes in (2, 10, 90, 600):
            later = drive.minute + timedelta(minutes=minutes)
            evaluate(judge(later), now=later, source=SOURCE)
            assert Alert.objects.filter(rule="db.connections", closed_at=None).exists()
            assert found(later)["module.unknown"].level == Level.NO_DATA
        blind = Alert.objects.get(rule="db.connections")
    assert blind.state == "no_data"
    assert blind.message.startswith("Connections used")
    assert blind.message.endswith(" is not known: nothing was collected of late.")
    assert phrase(blind) == "nothing is known of connections used"


@pytest.mark.usefixtures("quiet")
@pytest.mark.django_db
def test_an_alert_stays_open_while_its_check_gives_no_answer_and_ends_when_it_says_well() -> None:
    drive = Drive("db.longest_query")
    is_hanging = False

    def look() -> Reading:
        if is_hanging:
            raise TimeoutError("no answer")
        return Reading({"db.longest_query": drive.value})

    drive.module = module(
        "one", probe(look), metrics=(Metric("db.longest_query", "s", "x", "db.longest_query"),)
    )
    with only(drive.module):
        assert drive.hold(400) == "critical"
        is_hanging = True
        assert drive.hold(1) == "critical"
        assert "look" in Alert.objects.get(rule="db.longest_query").message
        is_hanging = False
        assert drive.hold(1) == ""


@pytest.mark.usefixtures("quiet")
@pytest.mark.django_db
def test_a_check_that_is_skipped_neither_opens_nor_ends_its_alert() -> None:
    state = CheckState.SKIPPED
    drive = Drive("check.down")
    drive.module = module("one", probe(lambda: Reading({}, state=state)))
    with only(drive.module):
        assert drive.hold(0) == ""
        state = CheckState.FAILED
        assert drive.hold(0) == "critical"
        state = CheckState.SKIPPED
        assert drive.hold(0) == "critical"
        state = CheckState.OK
        assert drive.hold(0) == ""


@pytest.mark.parametrize(
    ("value", "severity", "level"),
    [
        (85, "", "warning"),
        (85, "warning", "warning"),
        (85, "critical", "critical"),
        (79, "critical", "warning"),
        (75, "warning", "warning"),
        (75, "", "ok"),
        (69, "critical", "ok"),
        (90, "", "critical"),
    ],
)
def test_while_an_alert_is_open_the_limits_on_the_way_back_hold(
    value: float, severity: str, level: str
) -> None:
    assert level_of(BY_ID["db.connections"], "", value, severity) == Level(level)
