"""Rehearsing limits over the stored minutes: as alerts would have gone, and nothing is changed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from systemstatus.rehearsal import Rehearsal, rehearsed
from systemstatus.thresholds import BY_ID
from tests.systemstatus.factories import snapshot, store, this_minute
from tests.systemstatus.watched import module

pytestmark = pytest.mark.django_db


def minutes(values: Sequence[float | dict[str, float] | None], metric: str = "db.connections") -> None:
    """Store one value a minute, the last one now; None is a minute without."""
    end = this_minute()
    store(
        [
            snapshot("one", end - timedelta(minutes=len(values) - 1 - place), values=given)
            for place, value in enumerate(values)
            for given in [{} if value is None else {metric: value}]
        ]
    )


def rehearse(budget: str = "db.connections", *, core: bool = True, **asked: Any) -> Rehearsal:
    return rehearsed(BY_ID[budget], asked, [module("one", core=core)], timezone.now())


def test_without_stored_minutes_it_says_so() -> None:
    assert rehearse().now.text == "No minute is stored that it could be judged by."


def test_quiet_minutes_would_not_have_fired() -> None:
    minutes([10] * 30)
    assert rehearse().now.text == "It would not have fired."


def test_a_lower_limit_fires_after_the_cycles_that_alerts_wait_for() -> None:
    minutes([10] * 10 + [50] * 20 + [10] * 10)
    found = rehearse(warning="40", critical="95")
    assert found.now.fired == 0
    # Five cycles until a warning fires, over two minutes that must both breach; two until it is over.
    assert found.then.fired == 1
    assert 15 <= found.then.minutes <= 18
    assert found.then.text == f"It would have fired once, {found.then.minutes} min."


def test_each_spell_counts_and_critical_minutes_are_told_apart() -> None:
    minutes(([10] * 10 + [99] * 10) * 3 + [10] * 10)
    found = rehearse()
    assert found.now.fired == 3
    assert found.now.critical_minutes > 0
    assert found.now.text.startswith("It would have fired 3 times, ")


def test_what_is_not_core_never_counts_as_critical() -> None:
    minutes([99] * 30)
    assert rehearse(core=False).now.critical_minutes == 0


def test_targets_are_judged_apart() -> None:
    minutes([{"free": 400.0, "paid": 1.0}] * 20, "queue.oldest")
    assert rehearse("queue.oldest").now.fired == 1


def test_a_share_is_judged_from_sums_and_enough_samples() -> None:
    end = this_minute()
    store(
        [
            snapshot(
                "one",
                end - timedelta(minutes=40 - minute),
                values={"cache.hits": 400, "cache.lookups": 1000},
            )
            for minute in range(41)
        ]
    )
    found = rehearse("cache.hit")
    assert found.now.fired == 1
    assert rehearse("cache.hit", warning="30", critical="20").then.fired == 0


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"warning": "many"}, "is no number"),
        ({"warning": "-1"}, "is no limit"),
        ({"warning": "nan"}, "is no limit"),
        ({"warning": "1e99"}, "is no limit"),
        ({"warning": "99"}, "has to lie below"),
    ],
)
def test_limits_of_no_sense_are_refused_in_words(asked: dict[str, Any], why: str) -> None:
    minutes([10] * 5)
    assert why in rehearse(**asked).problem


def test_the_command_proposes_what_changed_and_can_be_pasted() -> None:
    minutes([10] * 5)
    command = rehearse(warning="70").command
    assert "--kind budget --task 'ID OF THE TASK'" in command, (
        "a limit that is in force changes for a task only"
    )
    assert "--sets 'budget.db.connections.warning 80 -> 70'" in command
    assert "critical" not in command.split("--context")[0]
