"""G4: many rollups of one day start together; a holder that stood still meanwhile writes nothing."""

import os
import signal
from datetime import UTC, datetime, timedelta
from unittest import mock

from django.core.management import call_command
from django.db import Error, connection, transaction

from tests.faults.processes import Child, is_stopped, wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import contents, empty, execute, forget_rollup

ROUNDS = {"tiny": 1, "normal": 5, "full": 40}
TOGETHER = 8
DAY = (datetime.now(UTC) - timedelta(days=1)).date()


def try_it(size: Size) -> str:
    """Let many start at once; stop a holder before and in its transaction, take over, let it go on."""
    empty()
    call_command("seed_telemetry", days=2, users=60, seed=9, stdout=open("/dev/null", "w"))  # noqa: SIM115 - ends with the process
    for _ in range(ROUNDS[size]):
        start_together()
        for scenario in (stopped_before_writing, stopped_in_its_transaction):
            scenario()
    return f"{ROUNDS[size]} rounds of {TOGETHER} at once; {2 * ROUNDS[size]} stale holders wrote nothing"


def roll_up() -> None:
    from costs.rollup import rollup_costs_for_date

    rollup_costs_for_date(DAY)


def roll_up_or_busy() -> None:
    """Roll up, or learn that another process does."""
    from costs.rollup import RollupBusy
    from costs.usage import FoldBusy

    try:
        roll_up()
    except (RollupBusy, FoldBusy):
        return


def start_together() -> None:
    """Start many rollups of the day at once: the rows are those that one alone writes."""
    forget_rollup()
    assert Child(roll_up).exit_code() == 0
    clean = contents()
    forget_rollup()
    children = [Child(roll_up_or_busy) for _ in range(TOGETHER)]
    assert [child.exit_code() for child in children] == [0] * TOGETHER
    assert contents() == clean, "the rows differ after a simultaneous start"


def stopped_before_writing() -> None:
    """Stop a holder between its claim and its transaction until its lease is over."""
    from costs.rollup import LeaseLost

    stale = Child(stop_after_claiming, expects=LeaseLost)
    wait_until(lambda: is_stopped(stale.pid), "the holder to stand still")
    # Stands for the minutes that a lease lasts.
    execute(
        "UPDATE cost_days SET lease_until = clock_timestamp() - interval '1 second' WHERE date = %s", [DAY]
    )
    assert_takeover_holds(stale)


def stop_after_claiming() -> None:
    """Claim the day, stand still, then go on as if nothing had happened."""
    from costs.rollup import lease

    claim = lease.claim

    def claim_and_stop(day: object) -> object:
        held = claim(day)  # type: ignore[arg-type]  # the day it was called with
        os.kill(os.getpid(), signal.SIGSTOP)
        return held

    with mock.patch.object(lease, "claim", claim_and_stop):
        roll_up()


def stopped_in_its_transaction() -> None:
    """Stop a holder in the middle of its writing; the server ends its transaction."""
    from costs.rollup import lease

    hold = lease.hold

    def hold_and_stop(cursor: object, held: object) -> None:
        hold(cursor, held)  # type: ignore[arg-type]  # what it was called with
        execute("SET idle_in_transaction_session_timeout = '1s'")  # a minute in production
        os.kill(os.getpid(), signal.SIGSTOP)

    def work() -> None:
        with mock.patch.object(lease, "hold", hold_and_stop):
            roll_up()

    stale = Child(work, expects=Error)
    wait_until(lambda: is_stopped(stale.pid), "the holder to stand still")
    wait_until(is_free, "the server to end the stale transaction")
    assert_takeover_holds(stale)


def is_free() -> bool:
    """Say whether nobody holds the day's row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM cost_days WHERE date = %s FOR UPDATE SKIP LOCKED", [DAY])
        return bool(cursor.rowcount)


def assert_takeover_holds(stale: Child) -> None:
    """Add an event, take the day over, wake the stale holder: it fails and writes nothing."""
    from tests.costs.events import call, store

    store(call(datetime.now(UTC) - timedelta(days=1), input_tokens=1000, output_tokens=10))
    assert Child(roll_up).exit_code() == 0
    taken_over = contents()
    stale.resume()
    assert stale.exit_code() == 0, "the stale holder did not fail as it should"
    assert contents() == taken_over, "the stale holder wrote"
