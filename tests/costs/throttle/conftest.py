"""Budgets in PostgreSQL and counters in Valkey, both emptied around each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from costs.models import CostBudget
from costs.throttle import caps
from costs.throttle.admission import state
from costs.throttle.decisions import waiting

Budget = Callable[..., CostBudget]


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    """Forget what this process and Valkey know of earlier tests."""
    state.reset()
    state.counters.client.flushall()
    yield
    waiting.reset()
    state.reset()
    state.counters.client.flushall()
    state.reset()


@pytest.fixture
def budget() -> Budget:
    """Store a budget's caps and publish them, as saving one does."""

    def save(scope: str = "global", key: str = "", **limits: Any) -> CostBudget:
        row, _ = CostBudget.objects.update_or_create(
            apply_scope=scope, scope_key=key, defaults={"updated_by": "tests", **limits}
        )
        caps.publish(state.counters)
        return row

    return save
