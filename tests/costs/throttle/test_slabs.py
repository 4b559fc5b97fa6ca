"""Local leases that nobody asks of any more are let go."""

from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

from costs.throttle import settle, slabs
from tests.costs.throttle.conftest import Budget
from tests.costs.throttle.test_admission import ask, reserved, used

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_process_keeps_no_lease_of_estimates_long_past(budget: Budget) -> None:
    budget(daily_jobs_cap=10_000_000)
    slabs.slabs.reset()
    for est_cpu_ms in range(1, 9):
        settle(ask(local_lease=True, est_cpu_ms=est_cpu_ms), cpu_ms=1)
    with mock.patch.object(slabs, "FRESH_S", -1):
        settle(ask(local_lease=True, est_cpu_ms=99), cpu_ms=1)
    assert len(slabs.slabs.open) == 1
    assert len(slabs.slabs.by_lease) == 1
    assert reserved(place=2) == slabs.PIECES, "what the others held is given back"


def test_threads_that_share_a_lease_take_each_piece_once_and_settle_all(budget: Budget) -> None:
    budget(daily_jobs_cap=10_000_000)
    slabs.slabs.reset()
    assert ask(est_cpu_ms=1)  # the habits begin

    def client(_: int) -> None:
        for _ in range(50):
            settle(ask(local_lease=True, est_cpu_ms=1), cpu_ms=1)

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(client, range(8)))
    with mock.patch.object(slabs, "FRESH_S", -1):
        settle(ask(local_lease=True, est_cpu_ms=2), cpu_ms=1)
    assert used(place=2) == 8 * 50 + 1
    assert reserved(place=2) == 1 + slabs.PIECES, "what asked first, and the last lease"
    assert len(slabs.slabs.by_lease) == 1
