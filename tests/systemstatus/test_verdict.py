"""The verdict: red, yellow, green or unknown by the rules, in a sentence that names the cause."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from systemstatus.models import Alert, StatusLease
from systemstatus.moment import Moment, moment_of
from systemstatus.registry import Layer
from systemstatus.standing import standings
from systemstatus.verdict import Verdict, verdict
from tests.systemstatus.factories import check, make_alert, make_bad_night, make_snapshot, this_minute
from tests.systemstatus.watched import module, only

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_modules() -> Iterator[None]:
    """A core database, core jobs that rest on it, and an integration that is not core."""
    watched = (
        module("jobs", title="Jobs", layer=Layer.QUEUE, depends_on=("store",)),
        module("store", title="Store", layer=Layer.DATABASE),
        module("mail", title="Mail", layer=Layer.INTEGRATION, core=False),
    )
    StatusLease.objects.create(name="alerts", done_at=timezone.now())
    with only(*watched):
        yield


def seen(minutes: int = 0, **states: str) -> None:
    """Store how the modules stand: those that are not named are well; a failure began so many minutes ago."""
    at = this_minute()  # once: a minute that turned in between would lack what was stored before
    began = (at - timedelta(minutes=minutes)).isoformat()
    for name in ("jobs", "store", "mail"):
        state = states.get(name, "ok")
        word = {"critical": "failed", "unknown": "crashed"}.get(state, state)
        told: dict[str, Any] = {} if state == "ok" else {"last_ok": began, "since": began}
        make_snapshot(name, at, state=state, checks=[check("look", word, at=at, **told)])


def now() -> Verdict:
    moment = moment_of("", timezone.now())
    return verdict(moment, standings(moment))


def test_all_well_is_green() -> None:
    seen()
    assert now().status == "ok"
    assert now().sentence == "Everything that is watched is well."
    assert now().why == "3 of 3 modules are OK."


@pytest.mark.parametrize(("minutes", "status"), [(0, "warn"), (4, "warn"), (6, "error")])
def test_what_was_never_known_is_yellow_at_a_first_start_and_red_after_five_minutes(
    minutes: int, status: str
) -> None:
    since = (this_minute() - timedelta(minutes=minutes)).isoformat()
    make_snapshot("store", state="unknown", checks=[check("look", "crashed", last_ok=None, since=since)])
    assert now().status == status


def test_without_data_nothing_is_green() -> None:
    assert now().status == "unknown"
    assert verdict(Moment(timezone.now(), timezone.now()), []).status == "unknown"


def test_a_critical_alert_is_red_and_a_warning_yellow() -> None:
    seen()
    alert = make_alert("queue.oldest", "jobs", severity="warning", value=90, unit="s")
    assert now().status == "warn"
    alert.severity = "critical"
    alert.save()
    assert now().status == "error"


@pytest.mark.parametrize(("minutes", "status"), [(1, "warn"), (3, "error")])
def test_a_core_part_is_down_after_three_failures(minutes: int, status: str) -> None:
    seen(minutes, store="critical")
    assert now().status == status


@pytest.mark.parametrize(("minutes", "status"), [(1, "warn"), (6, "error")])
def test_an_unknown_core_part_is_yellow_and_red_after_five_minutes(minutes: int, status: str) -> None:
    seen(minutes, store="unknown")
    assert now().status == status
    assert "nothing is known of Store" in now().sentence.lower().replace("store", "Store")


@pytest.mark.parametrize("state", ["no_data", "error"])
def test_an_unknown_core_part_stays_red_when_its_alert_says_so_too(state: str) -> None:
    seen(20, store="unknown")
    make_alert("check.down", "store", target="look", state=state, severity="warning")
    assert now().status == "error"


@pytest.mark.parametrize(("severity", "status"), [("warning", "warn"), ("critical", "error")])
def test_an_alert_without_data_for_five_minutes_is_red(severity: str, status: str) -> None:
    seen()
    make_alert("db.lock_wait", "store", state="no_data", severity=severity)
    assert now().status == status


@pytest.mark.parametrize(("minutes", "status"), [(1, "warn"), (4, "error")])
def test_a_failing_part_is_not_green_because_it_has_a_mild_alert(minutes: int, status: str) -> None:
    seen(minutes, store="critical")
    make_alert("cost.budget", "store", severity="info")
    assert now().status == status


def test_a_core_part_without_a_snapshot_is_not_green() -> None:
    seen()
    with only(module("new", title="New")):
        assert now().status != "ok"


@pytest.mark.parametrize("state", ["critical", "warning"])
def test_what_is_not_core_is_yellow_at_most(state: str) -> None:
    seen(30, mail=state)
    assert now().status == "warn"


@pytest.mark.parametrize("state", ["unknown", "skipped"])
def test_a_service_that_nobody_asked_of_late_colours_only_itself(state: str) -> None:
    seen(30, mail=state)
    assert now().status == "ok"
    assert now().why == "2 of 3 modules are OK, 1 unknown."


def test_what_is_not_configured_is_no_trouble() -> None:
    seen(mail="disabled")
    assert now().status == "ok"
    assert now().why == "2 of 3 modules are OK, 1 not configured."


@pytest.mark.parametrize(("minutes", "status"), [(3, "warn"), (6, "error")])
def test_late_snapshots_are_yellow_then_red(minutes: int, status: str) -> None:
    at = this_minute() - timedelta(minutes=minutes)
    for name in ("jobs", "store", "mail"):
        make_snapshot(name, at, checks=[check("look", at=at)])
    assert now().status == status
    assert "nothing has been collected" in now().sentence.lower()


@pytest.mark.parametrize(("minutes", "status"), [(3, "warn"), (6, "error"), (None, "warn")])
def test_rules_that_nobody_evaluates_are_never_green(minutes: int | None, status: str) -> None:
    seen()
    done = timezone.now() - timedelta(minutes=minutes) if minutes else None
    StatusLease.objects.filter(name="alerts").update(done_at=done)
    assert now().status == status
    assert "evaluated" in now().sentence


def test_the_sentence_names_what_people_notice_and_what_causes_it() -> None:
    seen()
    make_alert("queue.oldest", "jobs", target="free", minutes=20, value=1860, unit="s")
    cause = make_alert("db.lock_wait", "store", minutes=30, value=2040, unit="s")
    found = now()
    assert found.sentence == (
        "Jobs in queue free are 31\u202fmin late because a session in Store has waited 34\u202fmin"
        f" for a lock, since {cause.began_at:%H:%M} UTC."
    )
    assert [link.word for link in found.chain] == ["Cause", "Error"]
    assert found.since == cause.began_at


@pytest.mark.parametrize(("later", "is_cause"), [(15, True), (60, False)])
def test_what_began_long_after_is_no_cause(later: int, is_cause: bool) -> None:
    seen()
    make_alert("queue.oldest", "jobs", minutes=90, value=1860, unit="s")
    make_alert("db.lock_wait", "store", minutes=90 - later, value=40, unit="s")
    assert ("because" in now().sentence) is is_cause
    assert ("Cause" in [link.word for link in now().chain]) is is_cause


def test_what_wants_care_one_day_explains_no_failure() -> None:
    seen()
    make_alert("queue.failures", "jobs", severity="warning", value=9, unit="%", minutes=5)
    make_alert("db.bloat", "store", severity="warning", value=75, unit="%", minutes=60)
    assert "because" not in now().sentence
    assert "of job runs fail" in now().sentence


@pytest.mark.parametrize("rule", ["cost.budget", "cost.unpriced"])
def test_what_is_spent_is_put_down_to_no_part(rule: str) -> None:
    seen()
    make_alert(rule, "jobs", minutes=9, value=106, message="Too much was used. Set a price.")
    make_alert("db.lock_wait", "store", severity="warning", minutes=30, value=40, unit="s")
    assert now().sentence.startswith("Too much was used, since")


def test_a_cause_that_is_named_counts_before_what_a_part_rests_on() -> None:
    seen()
    make_alert("queue.depth", "jobs", minutes=9, value=300, unit="jobs", caused_by="mail")
    make_alert("integration.p95", "mail", severity="warning", minutes=5, value=4000, unit="ms")
    make_alert("db.lock_wait", "store", severity="warning", minutes=30, value=40, unit="s")
    assert now().sentence.startswith("300\u202fjobs wait because Mail answers in")


@pytest.mark.parametrize(
    ("said", "shown"),
    [("answers in 304 ms at best", " (answers in 304 ms at best)"), ("x" * 61, ""), ("failed", "")],
)
def test_a_failed_check_says_why_in_its_own_words_where_they_are_few(said: str, shown: str) -> None:
    seen()
    make_alert("check.down", "store", target="round trip", message=f"Store, round trip: {said}")
    assert now().sentence.startswith(f"Store fails its check of round trip{shown}, since")


def test_a_figure_says_more_than_a_check_that_fails_beside_it() -> None:
    seen()
    make_alert("queue.oldest", "jobs", minutes=9, value=400, unit="s")
    make_alert("check.down", "store", target="counters", minutes=12)
    make_alert("db.connections", "store", minutes=10, value=96, unit="%")
    assert "because Store has 96" in now().sentence
    Alert.objects.filter(rule="check.down").update(began_at=timezone.now() - timedelta(minutes=40))
    assert "because Store fails its check of counters" in now().sentence


def test_a_silent_collector_is_not_put_down_to_what_is_unknown_for_its_silence() -> None:
    with only(module("collector", title="Collector", depends_on=("store",)), module("store", title="Store")):
        make_snapshot("store", this_minute() - timedelta(minutes=7))
        make_alert("collector.age", "collector", value=420, unit="s")
        make_alert("module.unknown", "store", state="no_data", caused_by="collector")
        assert "because" not in now().sentence
        assert now().sentence.startswith("Nothing has been collected")


def test_parts_that_rest_on_each_other_end_somewhere() -> None:
    ring = (
        module("a", depends_on=("b",), layer=Layer.APP),
        module("b", depends_on=("a",), layer=Layer.QUEUE),
    )
    with only(*ring):
        make_alert("check.down", "a", message="a is down")
        make_alert("check.down", "b", message="b is down")
        make_snapshot("a")
        make_snapshot("b")
        assert now().sentence.startswith("A fails its check because b fails its check")


def test_a_past_minute_is_judged_as_it_was() -> None:
    make_snapshot("store", this_minute() - timedelta(minutes=30))
    alert = make_alert("db.lock_wait", "store", minutes=40, value=99, unit="s")
    alert.closed_at, alert.state = timezone.now() - timedelta(minutes=20), "resolved"
    alert.save()
    at = f"{this_minute() - timedelta(minutes=30):%Y-%m-%dT%H:%M}"
    moment = moment_of(at, timezone.now())
    found = verdict(moment, standings(moment))
    assert found.status == "error"
    assert "has waited 99\u202fs for a lock" in found.sentence


def test_a_bad_night_reads_as_one_sentence() -> None:
    with only(
        module("dataqueue", title="DataQueue", layer=Layer.QUEUE, depends_on=("postgres",)),
        module("redis", title="Redis", layer=Layer.CACHE),
        module("postgres", title="PostgreSQL", layer=Layer.DATABASE),
    ):
        make_bad_night()
        found = now()
    assert found.status == "error"
    assert found.sentence.startswith(
        "Jobs in queue free are 31\u202fmin late because a session in PostgreSQL"
    )
