"""The newest caps are in force, whoever publishes them last."""

import threading
from unittest import mock

import pytest
from django.db import connection

from costs.models import CostBudget
from costs.throttle import caps
from costs.throttle.admission import state
from tests.costs.throttle.conftest import Budget
from tests.costs.throttle.test_admission import ask

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_reading_from_before_a_change_is_not_written_after_it(budget: Budget) -> None:
    budget(daily_jobs_cap=10)
    has_read, goes_on = threading.Event(), threading.Event()
    real = caps.known_caps

    def slowly() -> dict[str, tuple[int, ...]]:
        known = real()
        if not has_read.is_set():
            has_read.set()
            goes_on.wait(0.5)
        return known

    def publish() -> None:
        caps.publish(state.counters)
        goes_on.set()
        connection.close()

    with mock.patch.object(caps, "known_caps", slowly):
        first, second = threading.Thread(target=publish), threading.Thread(target=publish)
        first.start()
        has_read.wait(5)
        CostBudget.objects.update(daily_jobs_cap=0)
        second.start()
        first.join()
        second.join()
    assert not ask()
