"""Counters follow PostgreSQL, but not to what it said before it stood still."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from costs.days import local_today
from costs.models import CostDay
from costs.rollup import rollup_costs_for_date
from costs.throttle import seeding, settle
from costs.throttle.admission import state
from costs.throttle.counters import PREFIX
from costs.usage import fold_pending
from telemetry.models import Shipment
from tests.costs.events import job, store
from tests.costs.throttle.conftest import Budget
from tests.costs.throttle.test_admission import ask, used

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_folded", [False, True], ids=["not folded", "not rolled up"])
def test_what_is_stored_stays_counted_while_the_rollup_stands_still(budget: Budget, is_folded: bool) -> None:
    budget(daily_cpu_ms_cap=1000)
    settle(ask(est_cpu_ms=300), cpu_ms=300)
    store(job(timezone.now(), cpu_ms=300))
    if is_folded:
        fold_pending()
    pass_minutes(9)
    seeding.synchronise(state.counters)
    assert used() == 300


def test_it_follows_again_when_the_rollup_goes_on(budget: Budget) -> None:
    budget(daily_cpu_ms_cap=1000)
    settle(ask(est_cpu_ms=300), cpu_ms=300)
    store(job(timezone.now(), cpu_ms=200))
    pass_minutes(9)
    rollup_costs_for_date(local_today(timezone.now()))
    seeding.synchronise(state.counters)
    assert used() == 200


def pass_minutes(count: int) -> None:
    """Let what was settled, stored and folded have happened so many minutes ago."""
    ago, today = timezone.now() - timedelta(minutes=count), local_today(timezone.now())
    Shipment.objects.update(shipped_at=ago)
    CostDay.objects.exclude(dirty_at=None).update(dirty_at=ago)
    client: Any = state.counters.client
    recent = f"{PREFIX}{today}:recent:global:"
    for field in client.hkeys(recent):
        minute, place = field.decode().split(":")
        client.hset(recent, f"{int(minute) - count}:{place}", client.hget(recent, field))
        client.hdel(recent, field)
