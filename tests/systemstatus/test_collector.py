"""A minute is collected once, whatever its probes do."""

import math
import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import OperationalError, connection

from systemstatus import lease, probing
from systemstatus.collector import collect_snapshot
from systemstatus.lease import LeaseLostError
from systemstatus.models import Snapshot, StatusLease
from systemstatus.registry import CheckState, Layer, Reading
from tests.faults.processes import wait_until
from tests.systemstatus.watched import module, only, probe

NOON = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minute: datetime = NOON, name: str = "one") -> Snapshot:
    return Snapshot.objects.get(module=name, captured_at=minute.replace(second=0))


@pytest.mark.django_db
def test_a_minute_leaves_one_row_a_module_with_what_its_probes_said() -> None:
    with only(module("one", probe({"a": 1, "b": {"x": 2.5}}), probe({"c": 3}, "again"))):
        done = collect_snapshot(NOON)
    assert (done.modules, done.states) == (1, {"one": "ok"})
    row = at()
    assert row.values == {"a": 1, "b": {"x": 2.5}, "c": 3}
    assert [(check["name"], check["state"]) for check in row.checks] == [("look", "ok"), ("again", "ok")]
    assert row.checks[0]["last_ok"] == "2026-05-04T12:00:00+00:00"


@pytest.mark.django_db
def test_a_minute_is_collected_once_however_often_it_is_asked_for() -> None:
    runs: list[int] = []

    def counted() -> Reading:
        runs.append(1)
        return Reading({"a": len(runs)})

    with only(module("one", probe(counted))):
        assert [collect_snapshot(NOON).is_busy for _ in range(3)] == [False, True, True]
        assert collect_snapshot(NOON - MINUTE).is_busy
        assert not collect_snapshot(NOON + MINUTE).is_busy
    assert (len(runs), at().values) == (2, {"a": 1})


@pytest.mark.django_db
def test_a_probe_without_a_way_to_the_database_blames_the_database_alone() -> None:
    def nobody_answers() -> Reading:
        raise OperationalError("sorry, too many clients already")

    def locked() -> Reading:
        raise OperationalError("canceling statement") from psycopg.errors.QueryCanceled()

    with only(
        module("redis", probe(nobody_answers)),
        module("dataqueue", probe(locked)),
        module("postgres", probe(nobody_answers), layer=Layer.DATABASE),
    ):
        collect_snapshot(NOON)
    states = {name: at(name=name).checks[0]["state"] for name in ("redis", "dataqueue", "postgres")}
    assert states == {"redis": "unknown", "dataqueue": "crashed", "postgres": "crashed"}
    assert at(name="redis").error == ""
    assert "takes no connection" in at(name="redis").checks[0]["error"]


@pytest.mark.django_db
def test_a_probe_that_raises_or_answers_nonsense_spares_the_rest_and_is_shown() -> None:
    def broken() -> Reading:
        raise ZeroDivisionError("by\nnought\0")

    bad = {"nan": math.nan, "inf": {"x": math.inf, "y": 1}, "good": 2}
    with only(
        module("one", probe(broken)),
        module("two", probe(bad)),
        module("three", probe(lambda: 7)),  # type: ignore[arg-type, return-value] # a probe that is wrong
        module("four", probe({"a": 1})),
        module("five"),
    ):
        states = collect_snapshot(NOON).states
    assert states == {
        "one": "unknown",
        "two": "critical",
        "three": "unknown",
        "four": "ok",
        "five": "unknown",
    }
    assert at().error == "ZeroDivisionError: by nought\N{REPLACEMENT CHARACTER}"
    assert at(name="two").values == {"good": 2, "inf": {"y": 1}}
    assert at(name="two").error == "not a finite number: inf of x, nan"
    assert at(name="three").error == "TypeError: returned int, not a Reading"


@pytest.mark.django_db
def test_a_probe_that_hangs_costs_its_limit_once_and_is_not_begun_again_while_it_does() -> None:
    let_go = threading.Event()
    begun: list[int] = []

    def hang() -> Reading:
        begun.append(1)
        let_go.wait(30)
        return Reading({"late": 1})

    with only(
        module("one", probe(hang, timeout_s=0.2)), *(module(f"m{n}", probe({"a": n})) for n in range(9))
    ):
        began = time.monotonic()
        first = collect_snapshot(NOON)
        assert time.monotonic() - began < 15
        assert first.states.pop("one") == "unknown"
        assert set(first.states.values()) == {"ok"}
        assert at().error == "gave no answer within 0.2 s"
        collect_snapshot(NOON + MINUTE)
        assert (len(begun), at(NOON + MINUTE).error[:11]) == (1, "still hangs")
        let_go.set()
        wait_until(lambda: not probing.hangs(("one", "look")), "the probe's end")
        collect_snapshot(NOON + 2 * MINUTE)
    assert at(NOON + 2 * MINUTE).state == "ok"


@pytest.mark.django_db
def test_what_has_no_turn_before_the_time_is_over_is_skipped() -> None:
    def slow() -> Reading:
        time.sleep(0.3)
        return Reading({"a": 1})

    with only(*(module(f"m{n}", probe(slow)) for n in range(9))):
        states = list(collect_snapshot(NOON, limit_s=0.4).states.values())
    assert "skipped" in states
    assert Snapshot.objects.count() == 9


@pytest.mark.django_db
def test_a_costly_probe_runs_every_ten_minutes_and_its_answer_stands_between() -> None:
    runs: list[int] = []

    def costly() -> Reading:
        runs.append(1)
        return Reading({"size": len(runs)}, {"tables": ["t"]})

    with only(module("one", probe(costly, every_s=600), probe({"a": 1}, "cheap"))):
        for minutes in range(11):
            collect_snapshot(NOON + minutes * MINUTE)
    assert len(runs) == 2
    nine, ten = at(NOON + 9 * MINUTE), at(NOON + 10 * MINUTE)
    assert (nine.values, nine.detail) == ({"size": 1, "a": 1}, {"tables": ["t"]})
    assert nine.checks[0]["at"] == "2026-05-04T12:00:00+00:00"
    assert ten.values["size"] == 2


@pytest.mark.django_db
def test_what_is_not_configured_is_neither_green_nor_red() -> None:
    off = Reading(state=CheckState.DISABLED, note="R2_BUCKET is not set")
    with only(module("one", probe(lambda: off))):
        assert collect_snapshot(NOON).states == {"one": "disabled"}
    assert (at().checks[0]["error"], at().checks[0]["last_ok"]) == ("R2_BUCKET is not set", None)


@pytest.mark.django_db
def test_detail_too_large_for_a_row_is_left_out_and_named() -> None:
    detail = {"huge": ["x" * 100] * 1000, "small": [1]}
    with only(module("one", probe(lambda: Reading(detail=detail)))):
        collect_snapshot(NOON)
    assert at().detail == {"small": [1], "left_out": ["huge"]}


@pytest.mark.django_db(transaction=True)
def test_a_collector_that_stood_still_writes_nothing_once_another_took_over() -> None:
    def taken_over() -> Reading:
        StatusLease.objects.update(lease_until=NOON - MINUTE)
        lease.claim("collector", NOON, seconds=60)
        return Reading({"a": 1})

    with only(module("one", probe(taken_over))), pytest.raises(LeaseLostError, match="taken over"):
        collect_snapshot(NOON)
    assert not Snapshot.objects.exists()
    assert StatusLease.objects.get().token == 2


@pytest.mark.django_db(transaction=True)
def test_probes_have_a_connection_of_their_own_that_waits_for_nothing_long() -> None:
    def asked() -> Reading:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
            return Reading(detail={"limits": cursor.fetchone()})

    with only(module("one", probe(asked))):
        collect_snapshot(NOON)
    assert at().detail == {"limits": ["1s", "3s"]}


@pytest.mark.django_db(transaction=True)
def test_the_real_modules_are_collected() -> None:
    states = collect_snapshot(NOON).states
    assert {"postgres": "ok", "redis": "ok"}.items() <= states.items()
    assert 0 < at(name="postgres").values["db.connections"] < 100
    assert at(name="redis").values["cache.rtt"] > 0


@pytest.mark.django_db
def test_a_check_tells_since_when_it_is_as_it_is() -> None:
    states = [CheckState.OK, CheckState.FAILED, CheckState.FAILED, CheckState.OK]
    coming = iter(states)
    with only(module("one", probe(lambda: Reading({}, state=next(coming))))):
        for minute in range(len(states)):
            collect_snapshot(NOON + timedelta(minutes=minute))
    since = [row.checks[0]["since"] for row in Snapshot.objects.order_by("captured_at")]
    assert [datetime.fromisoformat(at).minute for at in since] == [0, 1, 1, 3]
