"""G3: a rollup killed at random points and run again equals a clean run and an oracle of fractions."""

import functools
import random
import time
from datetime import UTC, datetime, timedelta

from django.core.management import call_command

from tests.faults.processes import Child
from tests.faults.promises import Size
from tests.faults.sandbox import contents, empty, forget_rollup

DAYS = 3
KILLS = {"tiny": 6, "normal": 40, "full": 400}


def try_it(size: Size) -> str:
    """Kill folds and rollups at random points, run them again, compare with a clean run and the oracle."""
    from tests.costs.oracle import assert_days_match, days_of, stored_events

    empty()
    days()
    call_command("seed_telemetry", days=DAYS, users=60, seed=7, stdout=open("/dev/null", "w"))  # noqa: SIM115 - ends with the process
    began = time.monotonic()
    assert Child(work).exit_code() == 0
    length_s = time.monotonic() - began
    clean = contents()
    assert_days_match(days_of(stored_events(), "UTC", {}))
    survived = kill_at_random(KILLS[size], length_s)
    assert Child(work).exit_code() == 0
    assert contents() == clean, "the tables differ from those of a clean run"
    assert changes_of_another_run() == 0, "another run changed rows"
    equal = sum(map(len, clean.values()))
    return f"{KILLS[size]} kills, {survived} of them in mid-work; {equal} rows equal a clean run"


def kill_at_random(kills: int, length_s: float) -> int:
    """Start the work again and again, killing it each time; return how often work was left unfinished."""
    chance = random.Random(3)
    survived = 0
    forget_rollup()
    for _ in range(kills):
        child = Child(work)
        time.sleep(chance.uniform(0, length_s))
        child.kill()
        if is_unfinished():
            survived += 1
        else:
            forget_rollup()
    return survived


def is_unfinished() -> bool:
    """Say whether the killed run left folding or rolling up to do."""
    from tests.faults.sandbox import execute

    return bool(
        execute("SELECT 1 FROM telemetry_shipments LIMIT 1")
        or execute("SELECT 1 FROM cost_days WHERE dirty_at IS NOT NULL LIMIT 1")
        or not execute("SELECT 1 FROM cost_global_daily LIMIT 1")
    )


@functools.cache
def days() -> list[datetime]:
    """Return the days to roll up, the same ones past a midnight: children have them from their parent."""
    now = datetime.now(UTC)
    return [now - timedelta(days=back) for back in range(DAYS, -1, -1)]


def work() -> int:
    """Fold in small steps, then roll up every day; return how many users' rows changed."""
    from costs.rollup import rollup_costs_for_date
    from costs.usage import fold_pending

    fold_pending(max_events=500)
    return sum(rollup_costs_for_date(moment.date()).changed_users for moment in days())


def changes_of_another_run() -> int:
    """Run once more on finished work and return how many rows it changed."""
    return work()
