"""G7: many clients at the limit, clients killed while reserving, Redis emptied: no overshoot, no phantom."""

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.faults.processes import Child, wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

ROUNDS: Final = {"tiny": 5, "normal": 100, "full": 1000}
PROCESSES: Final = 8
THREADS: Final = 8
CAP: Final = 10
LEASE_S: Final = 1.0
WORK: Final[dict[str, Any]] = {"tier": "enterprise", "domain": "ai"}


def try_it(size: Size) -> str:
    """Ask from many clients at once round by round, then with kills, then with an emptied Redis."""
    from costs.throttle.decisions import waiting

    empty()
    forget_budgets()
    rounds = ROUNDS[size]
    try:
        asked = at_the_limit(rounds)
        killed = killed_while_reserving(max(2, rounds // 50))
        over, leases = emptied_meanwhile()
    finally:
        waiting.write()
        forget_budgets()  # or the jobs of other promises would wait for them
    return (
        f"{rounds} rounds of {PROCESSES * THREADS} clients, {asked:,} checks, never above {CAP} nor below; "
        f"{killed} clients killed while reserving, their room back in {LEASE_S:.0f} s; "
        f"Redis emptied with {leases} leases out: {over} above the cap"
    )


def forget_budgets() -> None:
    """Forget every budget: in PostgreSQL, in Redis and in this process."""
    from costs.throttle.admission import state

    execute("TRUNCATE cost_budgets, cost_decisions")
    state.reset()
    state.counters.client.flushall()


def set_cap(scope: str, key: str, jobs: int) -> None:
    """Store a budget of so many jobs a day and publish it, as saving it does."""
    from costs.models import CostBudget
    from costs.throttle import caps
    from costs.throttle.admission import state

    CostBudget.objects.update_or_create(
        apply_scope=scope, scope_key=key, defaults={"daily_jobs_cap": jobs, "updated_by": "faults"}
    )
    caps.publish(state.counters)


class Tally:
    """Counts what children do, one byte a time in a file that all of them append to."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        self.path.touch()

    def add(self) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(handle, b".")
        os.close(handle)

    def count(self) -> int:
        return self.path.stat().st_size


def at_the_limit(rounds: int) -> int:
    """Let clients of many processes ask for the last pieces of a new user's budget, round by round."""
    set_cap("user", "*", CAP)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tallies = [Tally(folder, f"user-{turn}") for turn in range(rounds)]
        begin_at = time.time() + 1

        def client() -> None:
            from costs.throttle import check_budget_and_maybe_defer, settle

            time.sleep(max(0.0, begin_at - time.time()))
            for turn, tally in enumerate(tallies):
                if verdict := check_budget_and_maybe_defer(**WORK, user_id=f"user-{turn}"):
                    tally.add()
                    settle(verdict, cpu_ms=1)

        children = [Child(lambda: in_threads(client)) for _ in range(PROCESSES)]
        assert [child.exit_code() for child in children] == [0] * PROCESSES
        admitted = [tally.count() for tally in tallies]
    assert set(admitted) == {CAP}, f"admitted in a round: {min(admitted)} to {max(admitted)}, not {CAP}"
    return rounds * PROCESSES * THREADS


def in_threads(client: Callable[[], None]) -> None:
    """Run a client in every thread of this process and raise what any of them raised."""
    with ThreadPoolExecutor(THREADS) as threads:
        for running in [threads.submit(client) for _ in range(THREADS)]:
            running.result()


def killed_while_reserving(rounds: int) -> int:
    """Kill clients that hold reservations: their room is free when the leases lapse, and not before."""
    from costs.throttle import check_budget_and_maybe_defer, settle

    killed = 0
    for turn in range(rounds):
        user = f"killed-{turn}"
        with tempfile.TemporaryDirectory() as name:
            tally = Tally(Path(name), "held")

            def hold(tally: Tally = tally, user: str = user) -> None:
                from costs.throttle import check_budget_and_maybe_defer

                while check_budget_and_maybe_defer(**WORK, user_id=user, lease_s=LEASE_S):
                    tally.add()
                time.sleep(60)

            holder = Child(hold)
            wait_until(lambda tally=tally: tally.count() == CAP, "the holder to reserve everything")  # type: ignore[misc] # bound at once
            holder.kill()
            killed += 1
        began = time.monotonic()
        wait_until(
            lambda user=user: bool(check_budget_and_maybe_defer(**WORK, user_id=user)),  # type: ignore[misc] # bound at once
            "what a killed client reserved to be free again",
            limit_s=10,
        )
        assert time.monotonic() - began < LEASE_S + 2
        time.sleep(LEASE_S)  # the leases were taken one after the other, and lapse so
        verdicts = [check_budget_and_maybe_defer(**WORK, user_id=user) for _ in range(CAP)]
        assert sum(map(bool, verdicts)) == CAP - 1, "the whole budget is there again, and no more"
        for verdict in verdicts:
            settle(verdict, ran=False)
    return killed


def emptied_meanwhile() -> tuple[int, int]:
    """Empty Redis while some work is done and told, and some runs: only what runs can come on top."""
    from costs.throttle import check_budget_and_maybe_defer
    from costs.throttle.admission import state
    from tests.costs.events import job, store

    cap, done, running = 50, 20, 8
    set_cap("user", "emptied", cap)
    admitted = 0
    for number in range(done + running):
        assert check_budget_and_maybe_defer(**WORK, user_id="emptied")
        admitted += 1
        if number < done:
            store(job(datetime.now(UTC), user_id="emptied", tier="enterprise", cpu_ms=1))
    state.counters.client.flushall()
    while check_budget_and_maybe_defer(**WORK, user_id="emptied"):
        admitted += 1
        assert admitted <= cap + running, "more than the cap and the leases that were out"
    return admitted - cap, running
